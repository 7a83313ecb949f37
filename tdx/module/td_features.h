/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TDX_TD_FEATURES_H
#define TDX_TD_FEATURES_H

/*
 * Features that the guest uses by way of #VE, in the order of the bits of
 * FEATURE_PARAVIRT_CTRL.
 */
enum feature {
	F_CORE_CAP, F_DCA, F_EST, F_MCA, F_MTRR, F_PCONFIG, F_RDT_A, F_RDT_M,
	F_ACPI, F_TM2, F_TME, F_TSC_DEADLINE, NUM_FEATURES,
};

#endif /* TDX_TD_FEATURES_H */
