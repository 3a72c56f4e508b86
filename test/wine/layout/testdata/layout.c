// Prints the layout of each structure that is in mingw's headers and in this module, under the module's names:
//
//	S structure size
//	F structure field offset size
//
// If mingw has only an older form, the common fields are printed, and no size.
#include <stddef.h>
#include <stdio.h>
#include <windows.h>
#include <winternl.h>
#include <computedefs.h>
#include <lm.h>

#define SIZE(ours, type) printf("S %s %u\n", ours, (unsigned)sizeof(type));
#define FIELD(ours, type, name, member) \
	printf("F %s %s %u %u\n", ours, name, (unsigned)offsetof(type, member), (unsigned)sizeof(((type *)0)->member));
#define SAME(ours, type, name) FIELD(ours, type, #name, name)

static void job_accounting(void)
{
#define T(f) SAME("basicAccounting", JOBOBJECT_BASIC_ACCOUNTING_INFORMATION, f)
	SIZE("basicAccounting", JOBOBJECT_BASIC_ACCOUNTING_INFORMATION)
	T(TotalUserTime) T(TotalKernelTime) T(ThisPeriodTotalUserTime) T(ThisPeriodTotalKernelTime)
	T(TotalPageFaultCount) T(TotalProcesses) T(ActiveProcesses) T(TotalTerminatedProcesses)
#undef T
	SIZE("basicAndIOAccounting", JOBOBJECT_BASIC_AND_IO_ACCOUNTING_INFORMATION)
	FIELD("basicAndIOAccounting", JOBOBJECT_BASIC_AND_IO_ACCOUNTING_INFORMATION, "Basic", BasicInfo)
	FIELD("basicAndIOAccounting", JOBOBJECT_BASIC_AND_IO_ACCOUNTING_INFORMATION, "IO", IoInfo)
#define T(f) SAME("ioCounters", IO_COUNTERS, f)
	SIZE("ioCounters", IO_COUNTERS)
	T(ReadOperationCount) T(WriteOperationCount) T(OtherOperationCount)
	T(ReadTransferCount) T(WriteTransferCount) T(OtherTransferCount)
#undef T
	printf("S processIDListHeader %u\n", (unsigned)offsetof(JOBOBJECT_BASIC_PROCESS_ID_LIST, ProcessIdList));
	SAME("processIDListHeader", JOBOBJECT_BASIC_PROCESS_ID_LIST, NumberOfAssignedProcesses)
	SAME("processIDListHeader", JOBOBJECT_BASIC_PROCESS_ID_LIST, NumberOfProcessIdsInList)
	SIZE("associateCompletionPort", JOBOBJECT_ASSOCIATE_COMPLETION_PORT)
	SAME("associateCompletionPort", JOBOBJECT_ASSOCIATE_COMPLETION_PORT, CompletionKey)
	SAME("associateCompletionPort", JOBOBJECT_ASSOCIATE_COMPLETION_PORT, CompletionPort)
}

static void job_limits(void)
{
#define T(f) SAME("basicLimit", JOBOBJECT_BASIC_LIMIT_INFORMATION, f)
	SIZE("basicLimit", JOBOBJECT_BASIC_LIMIT_INFORMATION)
	T(PerProcessUserTimeLimit) T(PerJobUserTimeLimit) T(LimitFlags) T(MinimumWorkingSetSize) T(MaximumWorkingSetSize)
	T(ActiveProcessLimit) T(Affinity) T(PriorityClass) T(SchedulingClass)
#undef T
#define T(f) SAME("extendedLimit", JOBOBJECT_EXTENDED_LIMIT_INFORMATION, f)
	SIZE("extendedLimit", JOBOBJECT_EXTENDED_LIMIT_INFORMATION)
	T(BasicLimitInformation) T(IoInfo) T(ProcessMemoryLimit) T(JobMemoryLimit) T(PeakProcessMemoryUsed)
	T(PeakJobMemoryUsed)
#undef T
	SIZE("cpuRateControl", JOBOBJECT_CPU_RATE_CONTROL_INFORMATION)
	SAME("cpuRateControl", JOBOBJECT_CPU_RATE_CONTROL_INFORMATION, ControlFlags)
	FIELD("cpuRateControl", JOBOBJECT_CPU_RATE_CONTROL_INFORMATION, "Value", CpuRate)
	SIZE("groupAffinity", GROUP_AFFINITY)
	SAME("groupAffinity", GROUP_AFFINITY, Mask)
	SAME("groupAffinity", GROUP_AFFINITY, Group)
	SAME("groupAffinity", GROUP_AFFINITY, Reserved)
	SIZE("uiRestrictions", JOBOBJECT_BASIC_UI_RESTRICTIONS)
	SAME("uiRestrictions", JOBOBJECT_BASIC_UI_RESTRICTIONS, UIRestrictionsClass)
	SIZE("endOfJobTime", JOBOBJECT_END_OF_JOB_TIME_INFORMATION)
	SAME("endOfJobTime", JOBOBJECT_END_OF_JOB_TIME_INFORMATION, EndOfJobTimeAction)
}

// mingw has the first form of both, which the second form begins with.
static void job_notifications(void)
{
#define T(f) SAME("notificationLimit", JOBOBJECT_NOTIFICATION_LIMIT_INFORMATION, f)
#define N(ours, f) FIELD("notificationLimit", JOBOBJECT_NOTIFICATION_LIMIT_INFORMATION, ours, f)
	T(IoReadBytesLimit) T(IoWriteBytesLimit) T(PerJobUserTimeLimit) T(LimitFlags)
	N("JobHighMemoryLimit", JobMemoryLimit) N("CpuRateControlTolerance", RateControlTolerance)
	N("CpuRateControlToleranceInterval", RateControlToleranceInterval)
#undef N
#undef T
#define T(f) SAME("limitViolation", JOBOBJECT_LIMIT_VIOLATION_INFORMATION, f)
#define N(ours, f) FIELD("limitViolation", JOBOBJECT_LIMIT_VIOLATION_INFORMATION, ours, f)
	T(LimitFlags) T(ViolationLimitFlags) T(IoReadBytes) T(IoReadBytesLimit) T(IoWriteBytes) T(IoWriteBytesLimit)
	T(PerJobUserTime) T(PerJobUserTimeLimit) T(JobMemory)
	N("JobHighMemoryLimit", JobMemoryLimit) N("CpuRateControlTolerance", RateControlTolerance)
	N("CpuRateControlToleranceLimit", RateControlToleranceLimit)
#undef N
#undef T
}

static void processes(void)
{
#define T(f) SAME("kernelUserTimes", KERNEL_USER_TIMES, f)
	SIZE("kernelUserTimes", KERNEL_USER_TIMES)
	T(CreateTime) T(ExitTime) T(KernelTime) T(UserTime)
#undef T
#define T(f) SAME("processBasicInformation", PROCESS_BASIC_INFORMATION, f)
#define N(ours, f) FIELD("processBasicInformation", PROCESS_BASIC_INFORMATION, ours, f)
	SIZE("processBasicInformation", PROCESS_BASIC_INFORMATION)
	T(ExitStatus) T(PebBaseAddress) T(AffinityMask) T(BasePriority)
	N("UniqueProcessID", UniqueProcessId) N("InheritedFromUniqueProcessID", InheritedFromUniqueProcessId)
#undef N
#undef T
	SIZE("unicodeString", UNICODE_STRING)
	SAME("unicodeString", UNICODE_STRING, Length)
	SAME("unicodeString", UNICODE_STRING, MaximumLength)
	SAME("unicodeString", UNICODE_STRING, Buffer)
#define T(f) SAME("vmCounters", VM_COUNTERS, f)
	T(PeakVirtualSize) T(VirtualSize) T(PageFaultCount) T(PeakWorkingSetSize) T(WorkingSetSize)
	T(QuotaPeakPagedPoolUsage) T(QuotaPagedPoolUsage) T(QuotaPeakNonPagedPoolUsage) T(QuotaNonPagedPoolUsage)
	T(PagefileUsage) T(PeakPagefileUsage)
#undef T
}

static void system_process(void)
{
#define T(f) SAME("systemProcessInformation", SYSTEM_PROCESS_INFORMATION, f)
#define N(ours, f) FIELD("systemProcessInformation", SYSTEM_PROCESS_INFORMATION, ours, f)
#define V(f) N(#f, VirtualMemoryCounters.f)
	SIZE("systemProcessInformation", SYSTEM_PROCESS_INFORMATION)
	T(NextEntryOffset) T(NumberOfThreads) T(CreateTime) T(UserTime) T(KernelTime) T(ImageName) T(BasePriority)
	N("UniqueProcessID", UniqueProcessId) N("InheritedFromUniqueProcessID", InheritedFromUniqueProcessId)
	T(HandleCount) N("SessionID", SessionId)
	V(PeakVirtualSize) V(VirtualSize) V(PageFaultCount) V(PeakWorkingSetSize) V(WorkingSetSize)
	V(QuotaPeakPagedPoolUsage) V(QuotaPagedPoolUsage) V(QuotaPeakNonPagedPoolUsage) V(QuotaNonPagedPoolUsage)
	V(PagefileUsage) V(PeakPagefileUsage)
	// The other list counts the six counters one by one, and this field is the first of them.
	T(PrivatePageCount) N("IoInfo", IoCounters.ReadOperationCount)
#undef V
#undef N
#undef T
}

static void compute_service(void)
{
#define T(f) SAME("hcs.hcsEvent", HCS_EVENT, f)
	SIZE("hcs.hcsEvent", HCS_EVENT)
	T(Type) T(EventData) T(Operation)
#undef T
#define T(f) SAME("hcs.hcsProcessInformation", HCS_PROCESS_INFORMATION, f)
	SIZE("hcs.hcsProcessInformation", HCS_PROCESS_INFORMATION)
	T(ProcessId) T(Reserved) T(StdInput) T(StdOutput) T(StdError)
#undef T
}

static void accounts(void)
{
#define N(ours, f) FIELD("container/hostprocess.userInfo1", USER_INFO_1, ours, usri1_##f)
	SIZE("container/hostprocess.userInfo1", USER_INFO_1)
	N("name", name) N("password", password) N("passwordAge", password_age) N("priv", priv) N("homeDir", home_dir)
	N("comment", comment) N("flags", flags) N("scriptPath", script_path)
#undef N
	SIZE("container/hostprocess.localGroupMembersInfo0", LOCALGROUP_MEMBERS_INFO_0)
	FIELD("container/hostprocess.localGroupMembersInfo0", LOCALGROUP_MEMBERS_INFO_0, "sid", lgrmi0_sid)
}

static void processors(void)
{
	SIZE("cmd/silo/limit.groupAffinity", GROUP_AFFINITY)
	FIELD("cmd/silo/limit.groupAffinity", GROUP_AFFINITY, "mask", Mask)
	FIELD("cmd/silo/limit.groupAffinity", GROUP_AFFINITY, "group", Group)
	FIELD("cmd/silo/limit.groupAffinity", GROUP_AFFINITY, "reserved", Reserved)
}

static void names(void)
{
	SIZE("cmd/silo/node.unicodeString", UNICODE_STRING)
	FIELD("cmd/silo/node.unicodeString", UNICODE_STRING, "length", Length)
	FIELD("cmd/silo/node.unicodeString", UNICODE_STRING, "maximum", MaximumLength)
	FIELD("cmd/silo/node.unicodeString", UNICODE_STRING, "buffer", Buffer)
}

int main(void)
{
	job_accounting();
	job_limits();
	job_notifications();
	processes();
	system_process();
	compute_service();
	accounts();
	processors();
	names();
	return 0;
}
