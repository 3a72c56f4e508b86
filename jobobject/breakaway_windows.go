package jobobject

// mayBreakAway tells whether the job of this process lets a child out that asks
// for it. CreateProcess refuses the flag CREATE_BREAKAWAY_FROM_JOB in any other
// job. A process without a job, whose query Windows denies, has nothing to leave.
//
// The job can change at any time, so the answer is not kept. Of nested jobs it is
// the innermost; the child leaves as many of them as allow it.
//
// https://learn.microsoft.com/windows/win32/procthread/process-creation-flags
func mayBreakAway() bool {
	const ownJob Handle = 0
	var info extendedLimit
	err := queryJob(ownJob, classExtendedLimit, &info)
	return err == nil && info.BasicLimitInformation.LimitFlags&limitBreakaway != 0
}
