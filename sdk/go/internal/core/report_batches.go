package core

type pendingReport struct {
	held    *held
	outcome Outcome
	bytes   int
}

// reportBatches divides pending reports into calls that are limited in number and in bytes.
type reportBatches struct {
	queue fifo[*pendingReport]
	// again holds batches that failed, whole or halved. They are sent before everything else.
	again fifo[[]*pendingReport]
	// count and bytes are those of the reports that are not in a call at the moment.
	count int
	bytes int
}

func (b *reportBatches) add(entry *held, outcome Outcome) {
	report := &pendingReport{entry, outcome, outcomeBytes(outcome) + entry.logs.size()}
	b.queue.push(report)
	b.count++
	b.bytes += report.bytes
}

// putBack returns a batch, which the next call takes unchanged.
func (b *reportBatches) putBack(batch []*pendingReport) {
	if len(batch) == 0 {
		return
	}
	b.again.push(batch)
	b.count += len(batch)
	for _, report := range batch {
		b.bytes += report.bytes
	}
}

func (b *reportBatches) take() []*pendingReport {
	batch, ok := b.again.shift()
	if !ok {
		batch = b.fill()
	}
	b.count -= len(batch)
	for _, report := range batch {
		b.bytes -= report.bytes
	}
	return batch
}

func (b *reportBatches) fill() []*pendingReport {
	var batch []*pendingReport
	bytes := 0
	for len(batch) < maxReports {
		next, ok := b.queue.peek()
		if !ok {
			break
		}
		bytes += next.bytes
		if bytes > maxReportBytes && len(batch) > 0 {
			break
		}
		batch = append(batch, next)
		b.queue.shift()
	}
	return batch
}
