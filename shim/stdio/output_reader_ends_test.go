package stdio

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
)

// TestOutput_ReaderEndsDuringWrite_NextGetsTheRestOnce: Windows reports 0 bytes of a write that it interrupts, however
// much the reader took. A reader whose reads are not shorter than a write takes a write whole or not at all, as
// containerd's do: the next one continues where it stopped.
func TestOutput_ReaderEndsDuringWrite_NextGetsTheRestOnce(t *testing.T) {
	for _, reads := range []int{0, 1, 3} {
		synctest.Test(t, func(t *testing.T) {
			b, reader, door := runSilentOutput(t)
			text := string(randomBytes(2 * chunkSize))
			b.write(text)
			took := make([]byte, 0, 3*writeSize)
			for range reads {
				n, err := reader.Read(took[len(took):][:writeSize])
				if err != nil {
					t.Fatal(err)
				}
				took = took[:len(took)+n]
			}
			_ = reader.Close()
			if got := string(took) + readAll(t, door.open()); got != text {
				t.Errorf("after %d reads: the two readers got %d bytes of %d, or others", reads, len(got), len(text))
			}
		})
	}
}

// TestOutput_ShortReadsEndDuringWrite_RepeatsThatWriteAlone: of a reader with shorter reads it is not known how much of
// the last write it took. The next one gets that write again and nothing before it.
func TestOutput_ShortReadsEndDuringWrite_RepeatsThatWriteAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, reader, door := runSilentOutput(t)
		text := string(randomBytes(2 * chunkSize))
		b.write(text)
		took := make([]byte, 2*writeSize+10)
		if _, err := io.ReadFull(reader, took); err != nil {
			t.Fatal(err)
		}
		_ = reader.Close()
		if got := string(took[:2*writeSize]) + readAll(t, door.open()); got != text {
			t.Errorf("the two readers got %d bytes of %d, or others", len(got), len(text))
		}
	})
}

// runSilentOutput runs an output to a pipe as Windows has it, and returns the reader's end.
func runSilentOutput(t *testing.T) (*bench, net.Conn, *door) {
	t.Helper()
	reader, conn := net.Pipe()
	door := &door{}
	b := runOutput(t, silentConn{conn}, door.dial)
	return b, reader, door
}

// silentConn reports 0 bytes of a write that is interrupted.
type silentConn struct{ net.Conn }

func (c silentConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if err != nil {
		n = 0
	}
	return n, err
}
