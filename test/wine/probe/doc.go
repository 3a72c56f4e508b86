// Package probe holds tests of the ground that Windows programs stand on: named pipes, files, processes and job objects
// as the product uses them. They state what Windows does, so they hold on Windows as well as on the Wine test environment, where they
// check the gap filler in test/wine/gap. The tests of package testenv run them under Wine, and once more with the gap filler
// off, where most must fail.
package probe
