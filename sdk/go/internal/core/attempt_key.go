package core

// attemptKey names an attempt: what every table of the core is keyed by.
type attemptKey struct {
	jobID   [16]byte
	attempt int32
}

func keyOf(jobID []byte, attempt int32) attemptKey {
	key := attemptKey{attempt: attempt}
	copy(key.jobID[:], jobID)
	return key
}
