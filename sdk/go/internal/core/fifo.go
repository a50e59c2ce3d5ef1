package core

// compactFrom is the length of the consumed front from which the items are copied to a new slice.
const compactFrom = 1_024

// fifo is a queue with push and shift in amortized O(1).
type fifo[T any] struct {
	items []T
	head  int
}

func (q *fifo[T]) len() int { return len(q.items) - q.head }

func (q *fifo[T]) push(item T) { q.items = append(q.items, item) }

// peek returns the first item; false if there is none.
func (q *fifo[T]) peek() (T, bool) {
	if q.len() == 0 {
		var none T
		return none, false
	}
	return q.items[q.head], true
}

func (q *fifo[T]) shift() (T, bool) {
	item, ok := q.peek()
	if !ok {
		return item, false
	}
	var none T
	q.items[q.head] = none
	q.head++
	if q.head >= compactFrom && q.head*2 >= len(q.items) {
		q.items = append([]T(nil), q.items[q.head:]...)
		q.head = 0
	}
	return item, true
}
