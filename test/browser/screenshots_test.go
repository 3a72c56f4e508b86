package browser

import (
	"bytes"
	"cmp"
	"flag"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
)

var screenshots = flag.String("screenshots", "", "directory for the pictures of the documentation")

// pictureBound is the size of the largest picture.
const pictureBound = 300 << 10

// TestScreenshots draws the pictures of the documentation. The load of the simulated machine has a seed, so the same
// browser draws the same pictures.
func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("-screenshots names no directory")
	}
	s := simulate(t, "-containers", "31")
	s.do("exit backup 0xC0000142")
	s.do("step 12")
	for _, picture := range []struct {
		name, path, theme string
		width, height     int64
	}{
		{"dashboard-30.png", "", "light", 1320, 1790},
		{"dashboard-limit.png", "container/silo/indexer", "light", 1160, 1010},
		{"dashboard-dark.png", "?order=cpu", "dark", 1320, 900},
	} {
		p := open(t, s.address+picture.path, scheme(picture.theme), chromedp.EmulateViewport(picture.width, picture.height))
		p.live()
		shot, err := chromedp.Run(p, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		small := reduce(t, shot)
		if len(small) > pictureBound {
			t.Errorf("%s has %d bytes, want at most %d", picture.name, len(small), pictureBound)
		}
		if err := os.WriteFile(filepath.Join(*screenshots, picture.name), small, 0o644); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d KiB", picture.name, len(small)>>10)
	}
}

// reduce draws a picture with its 256 most frequent colours, which makes the file smaller.
func reduce(t *testing.T, shot []byte) []byte {
	t.Helper()
	from, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Fatal(err)
	}
	box := from.Bounds()
	count := map[color.Color]int{}
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			count[from.At(x, y)]++
		}
	}
	most := slices.SortedFunc(maps.Keys(count), func(a, b color.Color) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(number(a), number(b)))
	})
	palette := color.Palette(most[:min(len(most), 256)])
	nearest := map[color.Color]uint8{}
	to := image.NewPaletted(box, palette)
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			c := from.At(x, y)
			i, known := nearest[c]
			if !known {
				i = uint8(palette.Index(c))
				nearest[c] = i
			}
			to.SetColorIndex(x, y, i)
		}
	}
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, to); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// number orders colours.
func number(c color.Color) uint64 {
	r, g, b, _ := c.RGBA()
	return uint64(r)<<32 | uint64(g)<<16 | uint64(b)
}
