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
		number, index := numberOf(name[len(base)+1:])
		switch {
		case number == 0:
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

// numberOf reads what a name has after the log's: the number of a rotated file, or of an index. It is 0 for other files.
func numberOf(suffix string) (number int, index bool) {
	text, index := strings.CutSuffix(suffix, timesSuffix)
	// In 31 bits there is a number after each. A file with another spelling of a number is not of the log.
	n, err := strconv.ParseUint(text, 10, 31)
	if number = int(n); err != nil || number < 1 || rotatedName("", number) != "."+text {
		return 0, false
	}
	return number, index
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
