package browser

import (
	"strings"
	"testing"
)

func TestPlot_Limit_IsALineAtItsValue(t *testing.T) {
	p := open(t, simulate(t).address+"container/silo/indexer")
	for id, label := range map[string]string{"cpu": "limit 2.00", "commit": "limit 768 MiB"} {
		if text := eval[string](p, `document.getElementById('`+id+`').querySelector('.key.line').textContent`); text != label {
			t.Errorf("%s: %q, want %q", id, text, label)
		}
		// The curve reaches the limit, so its highest place is that of the line.
		if d := eval[float64](p, `((f) => f.querySelector('.limit').getBoundingClientRect().top - f.querySelector('.a').getBoundingClientRect().top)(document.getElementById('`+id+`'))`); d < -2 || d > 2 {
			t.Errorf("%s: the line is %.1f pixels from the curve's top", id, d)
		}
	}
	if n := eval[int](p, `document.querySelectorAll('#private .limit, #io .limit').length`); n != 0 {
		t.Errorf("%d plots without a limit have a line", n)
	}
}

func TestTree_Processes_FollowTheirParents(t *testing.T) {
	p := open(t, simulate(t).address+"container/silo/indexer")
	levels := eval[[]string](p, `[...document.querySelectorAll('#tree tbody tr')].map(r => r.dataset.level + ' ' + r.querySelector('bdi').textContent)`)
	if len(levels) != 7 || levels[0] != "1 indexer.exe" || !strings.HasPrefix(levels[1], "2 ") || !strings.Contains(strings.Join(levels, ","), ",3 ") {
		t.Errorf("%q", levels)
	}
}

func TestLog_NewLine_Arrives(t *testing.T) {
	s := simulate(t)
	p := open(t, s.address+"container/silo/indexer")
	p.live()
	s.do("log indexer the newest line")
	s.do("step 1")
	p.until(`document.querySelector('#log pre').textContent.includes('the newest line')`)
	if !eval[bool](p, `(e => e.scrollTop + e.clientHeight >= e.scrollHeight - 4)(document.querySelector('#log pre'))`) {
		t.Error("the end of the log is not in view")
	}
}

func TestExit_Container_ReasonIsShown(t *testing.T) {
	s := simulate(t)
	machine, p := open(t, s.address), open(t, s.address+"container/silo/report-builder")
	machine.live()
	p.live()
	s.do("exit report-builder 0xC0000005")
	s.do("step 1")
	p.until(`/^exited with code 0xC0000005.*access violation/.test(document.querySelector('#about .status').textContent)`)
	p.until(`/exited with code 0xC0000005: access violation/.test(document.querySelector('#events .bad').textContent)`)
	p.until(`document.querySelectorAll('#cpu .mark').length === 1`)
	machine.until(`[...document.querySelectorAll('#events .bad')].some(e => /silo\/report-builder exited with code 0xC0000005/.test(e.textContent))`)
	machine.until(`document.querySelectorAll('#rows tr.over').length === 3`)
}

func TestHostileName_IsTextAndNotMarkup(t *testing.T) {
	s := simulate(t, "-hostile")
	p := open(t, s.address)
	p.live()
	s.do("step 1")
	const name = `"><img src=x onerror=alert(1)><b>bold`
	p.do(`[...document.querySelectorAll('#rows th a')].find(a => a.textContent.includes('onerror')).click()`)
	p.until(`document.querySelector('h1') !== null`)
	p.live()
	s.do("step 1")
	p.until(`document.querySelector('#log pre') !== null`)
	if got := eval[string](p, `document.querySelector('h1').textContent`); got != name {
		t.Errorf("the title is %q", got)
	}
	if n := eval[int](p, `document.querySelectorAll('main img, main script, main b, main i, main [onload]').length`); n != 0 {
		t.Errorf("%d elements come from the container", n)
	}
	for _, want := range []string{`<script>alert(4)</script>`, `\x1b[31mred`, `\u202eexe.txt`, `\xff\xfe bytes`, `<svg onload=alert(3)>.exe`} {
		if !strings.Contains(eval[string](p, `document.querySelector('main').textContent`), want) {
			t.Errorf("no %q on the page", want)
		}
	}
	if problems, _ := p.said(); len(problems) > 0 {
		t.Errorf("the console shows %q", problems)
	}
}

func TestPolicy_InlineScriptAndOtherMachine_AreBlocked(t *testing.T) {
	p := open(t, simulate(t, "-containers", "1").address)
	p.do(`(() => {
		const s = document.createElement('script'); s.textContent = 'window.ran = true'; document.body.append(s);
		const d = document.createElement('div'); d.innerHTML = '<img src=x onerror="window.ran = true"><p style="color: red">x</p>'; document.body.append(d);
	})()`)
	if eval[bool](p, `window.ran === true`) {
		t.Error("an inline script ran")
	}
	if got := eval[string](p, `getComputedStyle(document.querySelector('body > div:last-child p')).color`); got == "rgb(255, 0, 0)" {
		t.Error("an inline style is applied")
	}
	blocked := eval[bool](p, `fetch('http://evil.example.com/').then(() => false, () => true)`)
	problems, _ := p.said()
	if text := strings.Join(problems, "\n"); !blocked || strings.Count(text, "Content Security Policy") < 3 {
		t.Errorf("the policy did not act: %s", text)
	}
}

func TestState_NoContainerAndRefusal_SayWhatHappened(t *testing.T) {
	s := simulate(t, "-containers", "3")
	p := open(t, s.address)
	p.live()
	s.do("refuse")
	s.do("step 1")
	p.until(`document.querySelector('#state [role=alert]')?.textContent.includes('BaseNamedObjects')`)
	if n := eval[int](p, `document.querySelectorAll('#rows tr').length`); n == 0 {
		t.Error("the containers vanish when the machine refuses")
	}
	s.do("allow")
	s.do("clear")
	s.do("step 1")
	p.until(`document.querySelector('#state').textContent === ''`)
	s.do("step 160") // those that are gone leave the page
	p.until(`document.querySelector('#empty').textContent.includes('No containers') && document.querySelectorAll('#rows tr').length === 0`)
}

func TestStream_ServerEnds_PageSaysSo(t *testing.T) {
	s := simulate(t, "-containers", "1")
	p := open(t, s.address)
	p.live()
	s.end()
	p.until(`document.documentElement.dataset.link === 'lost' && document.getElementById('link').textContent.startsWith('no answer since')`)
}
