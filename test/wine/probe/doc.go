// Package probe tests the parts of Windows that the product uses: named pipes, files, processes and job objects. The tests
// state what Windows does, so they hold on Windows and in the Wine test environment, where they check the gap filler in
// test/wine/gap. The tests of package testenv run them on Wine, and once more without the gap filler, when most must fail.
package probe
