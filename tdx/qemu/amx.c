// SPDX-License-Identifier: GPL-2.0
/*
 * AMX-TILE: the instructions that configure tile registers, load and store them.  The
 * CPU has none of those that compute with them.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "cpu.h"
#include "tcg/helper-tcg.h"
#include "glue.h"
#include "decode.h"

#define NUM_TILES	8
#define MAX_ROWS	16
#define ROW_SIZE	64
#define TILE_SIZE	(MAX_ROWS * ROW_SIZE)

/* The configuration. */
#define CFG_SIZE	64
#define CFG_PALETTE	0
#define CFG_START_ROW	1
#define CFG_RESERVED	2
#define CFG_ROW_BYTES	16	/* two bytes for each tile */
#define CFG_ROWS	48	/* one */
#define CFG_SLOTS	16	/* of which these tiles have the first */

/* What follows the VEX prefix in map 0F 38. */
enum { OP_CONFIG = 0x49, OP_MOVE = 0x4b };

/* Values of VEX.pp. */
enum { PP_NONE, PP_66, PP_F3, PP_F2 };

static int row_bytes(const uint8_t *cfg, int tile)
{
	return lduw_le_p(cfg + CFG_ROW_BYTES + 2 * tile);
}

static int rows(const uint8_t *cfg, int tile)
{
	return cfg[CFG_ROWS + tile];
}

static uint8_t *tile_data(CPUX86State *env, int tile)
{
	return env->xtiledata + tile * TILE_SIZE;
}

/* Both are 0, or neither and neither is too large; other tiles have none. */
static bool tile_is_valid(const uint8_t *cfg, int tile)
{
	int r = rows(cfg, tile), bytes = row_bytes(cfg, tile);

	if (tile >= NUM_TILES)
		return !r && !bytes;
	return r <= MAX_ROWS && bytes <= ROW_SIZE && !r == !bytes;
}

static bool config_is_valid(const uint8_t *cfg)
{
	if (cfg[CFG_PALETTE] > 1)
		return false;
	for (int i = CFG_RESERVED; i < CFG_ROW_BYTES; i++)
		if (cfg[i])
			return false;
	for (int i = 0; i < CFG_SLOTS; i++)
		if (!tile_is_valid(cfg, i))
			return false;
	return true;
}

static void release(CPUX86State *env)
{
	memset(env->xtilecfg, 0, sizeof(env->xtilecfg));
	memset(env->xtiledata, 0, sizeof(env->xtiledata));
}

static G_NORETURN void load_config(struct insn *i)
{
	uint8_t cfg[CFG_SIZE];

	for (int n = 0; n < CFG_SIZE; n += 8)
		stq_le_p(cfg + n, insn_load(i, i->ea + n));
	if (cfg[CFG_PALETTE] && !config_is_valid(cfg))
		insn_gp(i);
	release(i->env);
	if (cfg[CFG_PALETTE])
		memcpy(i->env->xtilecfg, cfg, CFG_SIZE);
	insn_done(i);
}

static G_NORETURN void store_config(struct insn *i)
{
	for (int n = 0; n < CFG_SIZE; n += 8)
		insn_store(i, i->ea + n, ldq_le_p(i->env->xtilecfg + n));
	insn_done(i);
}

/* The tile that an instruction names; #UD if it is not configured. */
static int configured_tile(struct insn *i)
{
	int tile = insn_reg(i);

	if (!i->env->xtilecfg[CFG_PALETTE] || tile >= NUM_TILES ||
	    !rows(i->env->xtilecfg, tile))
		insn_ud(i);
	return tile;
}

static G_NORETURN void zero_tile(struct insn *i)
{
	memset(tile_data(i->env, configured_tile(i)), 0, TILE_SIZE);
	insn_done(i);
}

static G_NORETURN void load_tile(struct insn *i)
{
	CPUX86State *env = i->env;
	int tile = configured_tile(i), bytes = row_bytes(env->xtilecfg, tile);
	uint8_t data[TILE_SIZE] = { 0 };

	/* Nothing is loaded before all is, so that it can begin anew after a fault. */
	for (int row = 0; row < rows(env->xtilecfg, tile); row++)
		for (int n = 0; n < bytes; n++)
			data[row * ROW_SIZE + n] =
				cpu_ldub_data_ra(env, i->ea + row * i->stride + n, 0);
	memcpy(tile_data(env, tile), data, TILE_SIZE);
	env->xtilecfg[CFG_START_ROW] = 0;
	insn_done(i);
}

static G_NORETURN void store_tile(struct insn *i)
{
	CPUX86State *env = i->env;
	int tile = configured_tile(i), bytes = row_bytes(env->xtilecfg, tile);

	for (int row = 0; row < rows(env->xtilecfg, tile); row++)
		for (int n = 0; n < bytes; n++)
			cpu_stb_data_ra(env, i->ea + row * i->stride + n,
					tile_data(env, tile)[row * ROW_SIZE + n], 0);
	env->xtilecfg[CFG_START_ROW] = 0;
	insn_done(i);
}

/* TILERELEASE may always be executed: it leaves nothing that XFD is about. */
static void config(struct insn *i)
{
	bool memory = insn_is_memory(i);

	if (!memory && i->vex_pp == PP_NONE && i->modrm == 0xc0) {
		release(i->env);
		insn_done(i);
	}
	xsave_need_tiles(i->env);
	if (memory && i->vex_pp == PP_NONE && !insn_extension(i))
		load_config(i);
	if (memory && i->vex_pp == PP_66 && !insn_extension(i))
		store_config(i);
	if (!memory && i->vex_pp == PP_F2 && !(i->modrm & 7))
		zero_tile(i);
}

/* Loads, with or without a hint, and stores; the operand has to have an index. */
static void move(struct insn *i)
{
	if (!insn_is_memory(i) || (i->modrm & 7) != 4 || i->vex_pp == PP_NONE)
		return;
	xsave_need_tiles(i->env);
	if (i->vex_pp == PP_F3)
		store_tile(i);
	load_tile(i);
}

void amx_execute(struct insn *i)
{
	if (i->vex_map != 2 || i->vex_rest || !xsave_has_tiles(i->env))
		return;
	if (i->opcode == OP_CONFIG)
		config(i);
	if (i->opcode == OP_MOVE)
		move(i);
}
