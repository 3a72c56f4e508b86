package dashboard

import (
	"hash/maphash"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"
)

// counted is a client that counts what it gets.
type counted struct{ bytes int }

func (c *counted) Header() http.Header              { return http.Header{} }
func (c *counted) WriteHeader(int)                  {}
func (c *counted) Write(p []byte) (int, error)      { c.bytes += len(p); return len(p), nil }
func (c *counted) Flush()                           {}
func (c *counted) SetReadDeadline(time.Time) error  { return nil }
func (c *counted) SetWriteDeadline(time.Time) error { return nil }

// BenchmarkUpdate_100Containers is what an update of one open page costs: a look at 100 containers with 10 processes each,
// all of them busy, without the kernel's part; the page; what has changed; compressed or not.
func BenchmarkUpdate_100Containers(b *testing.B) {
	for name, encoding := range map[string]string{"plain": "", "gzip": "gzip"} {
		b.Run(name, func(b *testing.B) {
			s := newFake(100, 10)
			random := rand.New(rand.NewPCG(1, 2))
			d := New(s, Options{})
			step := func() {
				d.Sample(b.Context())
				s.work(math.Abs(random.NormFloat64()), 1<<20)
				for i := range s.containers {
					m := &s.containers[i].Sample.Memory
					m.PrivateWorkingSet = 40<<20 + random.Uint64N(8<<20)
					m.Commit = m.PrivateWorkingSet + 16<<20
					s.containers[i].Sample.Storage.ReadBytes += random.Uint64N(4 << 20)
				}
			}
			for range pointsKept + 1 {
				step()
			}
			client := &counted{}
			r := &http.Request{Header: http.Header{"Accept-Encoding": {encoding}}}
			stream := newEventWriter(client, r)
			have := &sent{seed: maphash.MakeSeed(), parts: map[string]uint64{}}
			update := func() {
				v, err := d.machine("")
				if err != nil {
					b.Fatal(err)
				}
				if err := stream.message("patch", have.diff(v)); err != nil {
					b.Fatal(err)
				}
			}
			update()
			client.bytes = 0
			b.ReportAllocs()
			for b.Loop() {
				step()
				update()
			}
			b.ReportMetric(float64(client.bytes)/float64(b.N), "bytes/update")
		})
	}
}

// BenchmarkPage_100Containers is a request for the page.
func BenchmarkPage_100Containers(b *testing.B) {
	s := newFake(100, 10)
	d := New(s, Options{})
	for range pointsKept + 1 {
		d.Sample(b.Context())
		s.work(1, 1<<20)
	}
	for name, header := range map[string]map[string]string{"plain": nil, "gzip": {"Accept-Encoding": "gzip"}} {
		b.Run(name, func(b *testing.B) {
			size := 0
			for b.Loop() {
				clear(d.shared)
				page, err := io.ReadAll(get(d, "GET", "/", header).Body)
				if err != nil {
					b.Fatal(err)
				}
				size = len(page)
			}
			b.ReportMetric(float64(size), "bytes/page")
		})
	}
}
