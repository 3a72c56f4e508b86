package logfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// numberDigits is the least number of digits, so that a sorted list of names has the order of the files.
const numberDigits = 6

// timesSuffix follows the number in the name of an index.
const timesSuffix = ".times"

// rotatedName is the name of the file with a number, once it is rotated.
func rotatedName(path string, number int) string {
	return fmt.Sprintf("%s.%0*d", path, numberDigits, number)
}

// files are the numbers of the files beside a log, in ascending order.
type files struct {
	rotated []int
	indexes []int
}

// listFiles finds what is beside the log. A missing directory has no files.
func listFiles(path string) (f files, err error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	base := filepath.Base(path)
	for _, e := range entries {
		name := e.Name()
		if len(name) <= len(base) || !sameName(name[:len(base)], base) || name[len(base)] != '.' || !e.Type().IsRegular() {
			continue
		}
		text, index := strings.CutSuffix(name[len(base)+1:], timesSuffix)
		number, err := strconv.Atoi(text)
		switch {
		case err != nil || number < 1 || len(text) < numberDigits:
		case index:
			f.indexes = append(f.indexes, number)
		default:
			f.rotated = append(f.rotated, number)
		}
	}
	slices.Sort(f.rotated)
	slices.Sort(f.indexes)
	return f, nil
}

// current is the number that the current file gets when it is rotated.
func (f files) current() int {
	number := 1
	if n := len(f.rotated); n > 0 {
		number = f.rotated[n-1] + 1
	}
	if n := len(f.indexes); n > 0 {
		number = max(number, f.indexes[n-1])
	}
	return number
}

func sameName(a, b string) bool {
	if runtime.GOOS == "windows" {
		return strings.EqualFold(a, b)
	}
	return a == b
}
