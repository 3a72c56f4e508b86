package e2e

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siloshim/siloshim/test/payload/flood"
	"github.com/siloshim/siloshim/test/wine/testenv"
)

// allPrograms makes the test of programs of others complete; `make programs` sets it.
var allPrograms = flag.Bool("programs", false, "run every program of others in every way, and print the table")

// someProgram is the one that runs without -programs: it is small, and ends soon.
const someProgram = "7za"

// script is the work of node and bun. As a job it writes a digest of the input. As a service it has a server, a worker and a
// child process, and announces them in a file; a stop makes it write another one.
const script = `
const fs = require('fs'), crypto = require('crypto'), zlib = require('zlib'), http = require('http')
const { Worker, isMainThread } = require('worker_threads')
const [mode, dir] = process.argv.slice(2)
if (!isMainThread || mode === 'child') {
	setInterval(() => {}, 1000)
} else if (mode === 'job') {
	const data = fs.readFileSync(dir + '/data.bin')
	const back = zlib.gunzipSync(zlib.gzipSync(data))
	fs.writeFileSync(dir + '/out', crypto.createHash('sha256').update(back).digest('hex') + ' ' + JSON.stringify({ length: back.length }))
} else if (mode === 'fail') {
	process.exit(7)
} else {
	for (const s of ['SIGINT', 'SIGBREAK', 'SIGTERM']) process.on(s, () => { fs.writeFileSync(dir + '/closed', s); process.exit(0) })
	new Worker(__filename)
	require('child_process').spawn(process.execPath, [__filename, 'child'], { stdio: 'ignore' })
	const server = http.createServer((q, r) => r.end('hello'))
	server.listen(0, '127.0.0.1', () => http.get({ port: server.address().port, host: '127.0.0.1', agent: false }, r => {
		r.resume()
		r.on('end', () => fs.writeFileSync(dir + '/ready', String(r.statusCode)))
	}))
}
`

// program is what a program of others does in the tests. The arguments follow its executable; @ is a directory with the
// input, and # that of its package.
type program struct {
	job    string // writes a file from the input
	out    string // that file
	fail   string // ends with an error
	serve  string // runs until it is stopped
	least  int    // processes of serve, at least; a console host is one
	ready  bool   // serve writes a file when it has begun
	closes bool   // and another one when it is stopped
}

var programs = map[string]program{
	"7za":       {job: `a -tgzip -mmt1 -bd @\out.gz @\data.bin`, out: "out.gz", fail: `t @\no-such-archive`, serve: `b 100000 -mmt1`, least: 1},
	"biome":     {job: `format --write @\out.js`, out: "out.js", fail: `format @\broken.js`, serve: `__run_server`, least: 1},
	"bun":       {job: `@\script.js job @`, out: "out", fail: `@\script.js fail`, serve: `@\script.js serve @`, least: 3, ready: true, closes: true},
	"dart-sass": {job: `#\sass.snapshot --no-source-map @\in.scss @\out`, out: "out", fail: `#\sass.snapshot @\no-such.scss`, serve: `#\sass.snapshot --watch --poll @\in.scss:@\out.css`, least: 1},
	"esbuild":   {job: `@\in.ts --minify --outfile=@\out`, out: "out", fail: `@\no-such.ts`, serve: `@\in.ts --outfile=@\out.js --watch=forever`, least: 1},
	"ffmpeg": {job: `-v error -f rawvideo -s 64x64 -pix_fmt gray -i @\data.bin -pix_fmt rgb24 -f rawvideo @\out`, out: "out", fail: `-v error -i @\no-such.avi @\x.avi`,
		serve: `-v error -nostdin -re -f lavfi -i testsrc -f null -`, least: 1},
	"node": {job: `@\script.js job @`, out: "out", fail: `@\script.js fail`, serve: `@\script.js serve @`, least: 3, ready: true, closes: true},
}

// work is one use of a program, with a separate directory.
type work struct {
	program
	wine *testenv.Env
	exe  string // a Windows path
	pkg  string
	dir  string // a Unix path
}

// input writes the files of a program.
func (w *work) input(t *testing.T) {
	t.Helper()
	w.dir = t.TempDir()
	var data strings.Builder
	if err := flood.Write(&data, 64*64*16); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"data.bin": data.String(), "script.js": script,
		"in.scss": "$c: #123456; .a { .b { color: lighten($c, 10%); } }\n", "broken.js": "let = = ;\n", "out.js": "const  a=1 ;function f(x ){return x+a}\n",
		"in.ts": "enum E { A, B }\nexport const f = (x?: { y: E }) => x?.y ?? E.B\nconsole.log(f())\n",
	} {
		path := filepath.Join(w.dir, name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, written, written); err != nil {
			t.Fatal(err)
		}
	}
}

// written is the time of the input: archives have it.
var written = time.Unix(1e9, 0)

// args is a command line.
func (w *work) args(text string) []string {
	list := []string{w.exe}
	for word := range strings.FieldsSeq(text) {
		word = strings.ReplaceAll(strings.ReplaceAll(word, "@", w.wine.WindowsPath(w.dir)), "#", w.pkg)
		list = append(list, word)
	}
	return list
}

// sum is the checksum of the output.
func (w *work) sum() string {
	text, err := os.ReadFile(filepath.Join(w.dir, w.out))
	if err != nil {
		return "no output"
	}
	return fmt.Sprintf("%s %.8x", w.out, sha256.Sum256(text))
}

func (w *work) exists(name string) bool {
	_, err := os.Stat(filepath.Join(w.dir, name))
	return err == nil
}

// outcome is what a program did: in a container it must be what it does alone.
type outcome struct {
	done, failed int // exit codes
	sum          string
}

// finish runs a program with known input, and then so that it fails.
func (w *work) finish(t *testing.T, run func(args []string) int) (o outcome) {
	t.Helper()
	w.input(t)
	before := w.sum()
	o.done, o.sum = run(w.args(w.job)), w.sum()
	if o.sum == before {
		t.Errorf("the job has not changed its output: %s", before)
	}
	o.failed = run(w.args(w.fail))
	return o
}

// runner runs programs in one kind of container.
type runner struct {
	run   func(t *testing.T, args []string) (code int)
	start func(t *testing.T, args []string) serving
	close func(t *testing.T) // when nothing runs any more
}

// serving is a container that has started.
type serving struct {
	processes func(t *testing.T) int
	memory    func(t *testing.T) uint64 // bytes that the container reports
	stop      func(t *testing.T) (code string)
}

// serves runs a program until it is stopped, and describes it.
func (w *work) serves(t *testing.T, r runner) string {
	t.Helper()
	w.input(t)
	c := r.start(t, w.args(w.serve))
	until(t, fmt.Sprintf("%d processes run", w.least), func() bool { return c.processes(t) >= w.least && (!w.ready || w.exists("ready")) })
	processes, memory := c.processes(t), c.memory(t)
	if memory < 1<<20 {
		t.Errorf("its memory is %d bytes", memory)
	}
	code := c.stop(t)
	how := "ended"
	if w.closes {
		if how = "in order"; !w.exists("closed") {
			t.Error("it has not received the stop")
		}
	}
	return fmt.Sprintf("%d processes, %d MiB, stop %s (%s)", processes, memory>>20, how, code)
}

func TestPrograms_OfOthers_RunAsAlone(t *testing.T) {
	wine := testenv.Require(t)
	rows := map[string][]string{}
	kinds := []string{"silo run"}
	if *allPrograms {
		kinds = []string{"ctr", "pod", "silo run"}
	}
	var n *node
	if *allPrograms {
		n = newNode(t, chosen()[0])
	}
	for _, p := range testenv.Programs {
		t.Run(p.Name, func(t *testing.T) {
			if !*allPrograms && p.Name != someProgram {
				t.Skip("only with -programs: make programs")
			}
			dir, err := wine.ProgramDir(p)
			if err != nil {
				t.Skip(err)
			}
			exe := filepath.Join(dir, filepath.FromSlash(p.Exe))
			w := work{programs[p.Name], wine, wine.WindowsPath(exe), wine.WindowsPath(filepath.Dir(exe)), ""}
			alone := w.finish(t, func(args []string) int {
				cmd := wine.Command(t.Context(), args[0], args[1:]...)
				_ = cmd.Run() // its exit code is compared. It has no output: Wine's processes would keep a pipe open
				return cmd.ProcessState.ExitCode()
			})
			if alone.done != 0 || alone.failed == 0 {
				t.Fatalf("alone: %+v, want an exit code of 0, and an error for the wrong arguments", alone)
			}
			for _, kind := range kinds {
				t.Run(kind, func(t *testing.T) {
					r := runnerOf(t, kind, wine, n)
					got := w.finish(t, func(args []string) int { return r.run(t, args) })
					if got != alone {
						t.Errorf("%+v, alone %+v", got, alone)
					}
					served := w.serves(t, r)
					r.close(t)
					rows[p.Name] = append(rows[p.Name], fmt.Sprintf("exit %d, %d; %s; %s", got.done, got.failed, got.sum, served))
				})
			}
		})
	}
	if *allPrograms {
		n.nothingLeft(t)
		var table strings.Builder
		fmt.Fprintf(&table, "| program | %s |\n|---|---|---|---|\n", strings.Join(kinds, " | "))
		for _, p := range testenv.Programs {
			if cells := rows[p.Name]; len(cells) > 0 {
				fmt.Fprintf(&table, "| %s %s | %s |\n", p.Name, p.Version, strings.Join(cells, " | "))
			}
		}
		t.Logf("exit codes of the job and of a failure, output as alone, processes, memory, stop:\n%s", table.String())
	}
}

// The table of the tests and that of the test environment have the same programs.
func TestPrograms_Tables_Agree(t *testing.T) {
	for _, p := range testenv.Programs {
		if w, ok := programs[p.Name]; !ok || w.least < 1 || slices.Contains([]string{w.job, w.fail, w.serve}, "") {
			t.Errorf("%s has the work %+v", p.Name, w)
		}
	}
	if len(programs) != len(testenv.Programs) {
		t.Errorf("%d works for %d programs", len(programs), len(testenv.Programs))
	}
}
