/* An NVML without a card, which fails as told, so that the real nvidia-smi can be tried anywhere.
 * Variables: NVML_INIT (code at start), NVML_COUNT (cards), NVML_BAD (which card fails, default none),
 * NVML_HANDLE, NVML_MEMORY, NVML_ECC, NVML_MIG, NVML_UUID (the code with which it does).
 * Functions that are not here are made by the test, and say that they are not supported. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void *device;
typedef unsigned long long u64;
enum { OK = 0, INVALID = 2, NOT_SUPPORTED = 3 };

static int number(const char *name, int fallback) {
  const char *text = getenv(name);
  return text && *text ? atoi(text) : fallback;
}
static int index_of(device d) { return (int)((char *)d - (char *)0) - 1; }
static int code(device d, const char *name) {
  return index_of(d) == number("NVML_BAD", -1) ? number(name, OK) : OK;
}

int nvmlInit_v2(void) { return number("NVML_INIT", OK); }
int nvmlInit(void) { return nvmlInit_v2(); }
int nvmlInitWithFlags(unsigned flags) { (void)flags; return nvmlInit_v2(); }
int nvmlShutdown(void) { return OK; }

const char *nvmlErrorString(int error) {
  switch (error) {
    case 0: return "Success";
    case 3: return "Not Supported";
    case 4: return "Insufficient Permissions";
    case 9: return "Driver Not Loaded";
    case 10: return "Timeout";
    case 15: return "GPU is lost";
    case 16: return "GPU requires reset";
    case 17: return "GPU access blocked by the operating system";
    case 18: return "Driver/library version mismatch";
    default: return "Unknown Error";
  }
}

int nvmlSystemGetDriverVersion(char *text, unsigned size) { snprintf(text, size, "550.163.01"); return OK; }
int nvmlSystemGetNVMLVersion(char *text, unsigned size) { snprintf(text, size, "12.550.163.01"); return OK; }
int nvmlSystemGetCudaDriverVersion_v2(int *version) { *version = 12040; return OK; }

int nvmlDeviceGetCount_v2(unsigned *count) { *count = (unsigned)number("NVML_COUNT", 3); return OK; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, device *d) {
  if (index >= (unsigned)number("NVML_COUNT", 3)) return INVALID;
  *d = (char *)0 + index + 1;
  return code(*d, "NVML_HANDLE");
}
int nvmlDeviceGetHandleByIndex(unsigned index, device *d) { return nvmlDeviceGetHandleByIndex_v2(index, d); }
int nvmlDeviceGetIndex(device d, unsigned *index) { *index = (unsigned)index_of(d); return OK; }
int nvmlDeviceGetMinorNumber(device d, unsigned *minor) { *minor = (unsigned)index_of(d); return OK; }
int nvmlDeviceGetName(device d, char *text, unsigned size) {
  (void)d;
  snprintf(text, size, "NVIDIA H100 80GB HBM3");
  return OK;
}
int nvmlDeviceGetUUID(device d, char *text, unsigned size) {
  snprintf(text, size, "GPU-0000000%d-1111-2222-3333-444444444444", index_of(d));
  return code(d, "NVML_UUID");
}

struct pci { char legacy[16]; unsigned domain, bus, device, id, subsystem; char bus_id[32]; };
int nvmlDeviceGetPciInfo_v3(device d, struct pci *pci) {
  memset(pci, 0, sizeof *pci);
  pci->bus = (unsigned)index_of(d) + 1;
  pci->id = 0x233010de;
  snprintf(pci->legacy, sizeof pci->legacy, "0000:%02X:00.0", pci->bus);
  snprintf(pci->bus_id, sizeof pci->bus_id, "00000000:%02X:00.0", pci->bus);
  return OK;
}
int nvmlDeviceGetPciInfo_v2(device d, struct pci *pci) { return nvmlDeviceGetPciInfo_v3(d, pci); }

struct memory { u64 total, free, used; };
struct memory_v2 { unsigned version; u64 total, reserved, free, used; };
static const u64 TOTAL = 81559ULL << 20;
int nvmlDeviceGetMemoryInfo(device d, struct memory *memory) {
  memory->total = TOTAL, memory->used = 3ULL << 20, memory->free = TOTAL - memory->used;
  return code(d, "NVML_MEMORY");
}
int nvmlDeviceGetMemoryInfo_v2(device d, struct memory_v2 *memory) {
  memory->total = TOTAL, memory->reserved = 0, memory->used = 3ULL << 20;
  memory->free = TOTAL - memory->used;
  return code(d, "NVML_MEMORY");
}
int nvmlDeviceGetUtilizationRates(device d, unsigned rates[2]) { (void)d; rates[0] = rates[1] = 0; return OK; }
int nvmlDeviceGetTemperature(device d, int sensor, unsigned *celsius) { (void)d, (void)sensor; *celsius = 40; return OK; }
int nvmlDeviceGetMigMode(device d, unsigned *now, unsigned *pending) {
  *now = *pending = index_of(d) == number("NVML_BAD", -1) && number("NVML_SPLIT", 0);
  return code(d, "NVML_MIG");
}
int nvmlDeviceGetTotalEccErrors(device d, int kind, int counter, u64 *count) {
  (void)kind, (void)counter;
  *count = 0;
  return code(d, "NVML_ECC");
}
int nvmlDeviceGetMemoryErrorCounter(device d, int kind, int counter, int place, u64 *count) {
  (void)place;
  return nvmlDeviceGetTotalEccErrors(d, kind, counter, count);
}
int nvmlDeviceGetComputeRunningProcesses_v3(device d, unsigned *count, void *list) { (void)d, (void)list; *count = 0; return OK; }
int nvmlDeviceGetComputeRunningProcesses_v2(device d, unsigned *count, void *list) { (void)d, (void)list; *count = 0; return OK; }
int nvmlDeviceGetComputeRunningProcesses(device d, unsigned *count, void *list) { (void)d, (void)list; *count = 0; return OK; }

/* Functions without a name: a table that begins with its size. nvidia-smi ends without it. */
static int unnamed(void) { return NOT_SUPPORTED; }
static void *table[512];
int nvmlInternalGetExportTable(const void **found, const void *which) {
  (void)which;
  table[0] = (void *)sizeof table;
  for (unsigned i = 1; i < sizeof table / sizeof *table; i++) table[i] = (void *)unnamed;
  *found = table;
  return OK;
}
