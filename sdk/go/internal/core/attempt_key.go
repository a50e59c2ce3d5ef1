package core

// attemptKey identifies an attempt; the tables of the core use it as key.
type attemptKey struct {
	jobID   [16]byte
	attempt int32
}

func keyOf(jobID []byte, attempt int32) attemptKey {
	key := attemptKey{attempt: attempt}
	copy(key.jobID[:], jobID)
	return key
}
