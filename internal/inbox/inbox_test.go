package inbox

import "testing"

func TestInbox_SlowReader_GetsTheOldestAndTheEnd(t *testing.T) {
	var b Inbox[int]
	b.Put(1) // no reader yet
	values := b.Values(2)
	for n := 2; n <= 4; n++ {
		b.Put(n)
	}
	b.Close()
	b.Close()
	b.Put(5)
	for _, want := range []int{2, 3} {
		if got := <-values; got != want {
			t.Errorf("got %d, want %d", got, want)
		}
	}
	if v, open := <-values; open {
		t.Errorf("got %d after Close, want the end", v)
	}
}

func TestInbox_ReaderAfterClose_SeesTheEnd(t *testing.T) {
	var b Inbox[int]
	b.Close()
	if v, open := <-b.Values(1); open {
		t.Errorf("got %d, want the end", v)
	}
}
