package event

// Dropped returns how many events were dropped because the queue was full, or closed.
func (p *Publisher) Dropped() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dropped
}
