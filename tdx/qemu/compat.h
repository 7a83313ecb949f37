/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between QEMU's versions: headers that moved, and functions whose
 * arguments changed.  Check for a header rather than a version where possible.
 */
#ifndef TDX_COMPAT_H
#define TDX_COMPAT_H

/* 10.2 has moved exec/ to system/ and accel/tcg/. */
#if __has_include("system/memory.h")
#include "system/address-spaces.h"
#include "system/memory.h"
#else
#include "exec/address-spaces.h"
#include "exec/memory.h"
#endif

#if __has_include("accel/tcg/cpu-ldst.h")
#include "accel/tcg/cpu-ldst.h"
#include "accel/tcg/cpu-mmu-index.h"
#include "exec/cpu-common.h"
#include "exec/target_page.h"
#else
#include "exec/cpu_ldst.h"
#include "exec/exec-all.h"
#endif

/* 10.2 has probe_access() there. */
#if __has_include("exec/translation-block.h")
#include "exec/translation-block.h"
#endif

#if __has_include("accel/tcg/probe.h")
#include "accel/tcg/probe.h"
#endif

/* 11.0 has moved hw/qdev-core.h. */
#if __has_include("hw/core/qdev.h")
#include "hw/core/qdev.h"
#else
#include "hw/qdev-core.h"
#endif

#define QEMU_SINCE(major, minor)					\
	(QEMU_VERSION_MAJOR > (major) ||				\
	 (QEMU_VERSION_MAJOR == (major) && QEMU_VERSION_MINOR >= (minor)))

/* What the second argument of a class_init() points to. */
#if QEMU_SINCE(10, 1)
#define COMPAT_CLASS_DATA const void
#else
#define COMPAT_CLASS_DATA void
#endif

/* 10.2 has moved the functions of icount, and renamed what does a CPU's queued work. */
#if __has_include("exec/icount.h")
#include "exec/icount.h"
#define compat_process_cpu_events(cpu)	qemu_process_cpu_events_common(cpu)
#else
#include "system/cpu-timers.h"
#define compat_process_cpu_events(cpu)	qemu_wait_io_event_common(cpu)
#endif

/* Writes a register of @apic, which is the x2APIC of the CPU that executes. */
#if QEMU_SINCE(10, 2)
#define compat_apic_msr_write(apic, index, value)			\
	apic_msr_write(apic, index, value)
#else
#define compat_apic_msr_write(apic, index, value)			\
	((void)(apic), apic_msr_write(index, value))
#endif

#endif /* TDX_COMPAT_H */
