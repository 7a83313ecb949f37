// SPDX-License-Identifier: GPL-2.0
/*
 * Updates of the TDX module while TDs exist: by Linux's tdx_host driver, with the
 * images of TDX_IMAGES, a directory.
 *
 *   newer		one that the module can be replaced by
 *   damaged-header	Linux itself refuses it
 *   damaged-module	the P-SEAMLDR refuses it, when the old module is gone
 *   damaged-signature	the same, but the old module is only shut down
 *
 * Each case needs a boot of its own, since an update can't be undone.  A case for
 * the test of kexec only runs a TD until there is no host any more.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/generic/kernel_log.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define DEVICE	"/sys/devices/faux/tdx_host/"
#define UPLOAD	"/sys/class/firmware/tdx_module/"

#define REFUSED	"transferring:firmware-invalid"

struct version {
	unsigned int major, minor, update;
};

/* Reads a file of sysfs as text without newline.  Returns an errno. */
static int read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n;

	TEST_ASSERT(fd >= 0, "No %s", path);
	n = read(fd, text, size - 1);
	close(fd);
	if (n < 0)
		return errno;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

static struct version module_version(void)
{
	struct version v;
	char text[32];

	TEST_ASSERT_EQ(read_text(DEVICE "version", text, sizeof(text)), 0);
	TEST_ASSERT(sscanf(text, "%u.%u.%u", &v.major, &v.minor, &v.update) == 3,
		    "Strange version '%s'", text);
	return v;
}

static unsigned int remaining_updates(void)
{
	char text[32];

	TEST_ASSERT_EQ(read_text(DEVICE "num_remaining_updates", text,
				 sizeof(text)), 0);
	return atoi(text);
}

static void write_file(const char *path, const char *data, size_t size)
{
	int fd = open(path, O_WRONLY);
	ssize_t n;

	TEST_ASSERT(fd >= 0, "No %s", path);
	for (; size; data += n, size -= n) {
		n = write(fd, data, size);
		TEST_ASSERT(n > 0, "write() to %s", path);
	}
	close(fd);
}

/* Returns the size of an image. */
static size_t read_image(const char *name, char *data, size_t room)
{
	const char *directory = getenv("TDX_IMAGES");
	char path[PATH_MAX];
	ssize_t size;
	int fd;

	TEST_ASSERT(directory, "TDX_IMAGES is not set");
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_RDONLY);
	TEST_ASSERT(fd >= 0, "No %s", path);
	size = read(fd, data, room);
	TEST_ASSERT(size > 0, "Can't read %s", path);
	close(fd);
	return size;
}

/* Uploads an image.  @error has what the driver then says, "" if all went well. */
static void upload(const char *name, char *error, size_t size)
{
	static char image[1 << 20];
	size_t len = read_image(name, image, sizeof(image));
	char status[32];

	write_file(UPLOAD "loading", "1", 1);
	write_file(UPLOAD "data", image, len);
	write_file(UPLOAD "loading", "0", 1);
	/* Nothing tells the end but the file itself. */
	do {
		usleep(1000);
		TEST_ASSERT_EQ(read_text(UPLOAD "status", status,
					 sizeof(status)), 0);
	} while (strcmp(status, "idle"));
	TEST_ASSERT_EQ(read_text(UPLOAD "error", error, size), 0);
}

static void update(void)
{
	struct version before = module_version(), after;
	unsigned int left = remaining_updates();
	char error[80];

	upload("newer", error, sizeof(error));
	TEST_ASSERT(!*error, "The driver says '%s'", error);
	after = module_version();
	TEST_ASSERT_EQ(after.major, before.major);
	TEST_ASSERT_EQ(after.minor, before.minor);
	TEST_ASSERT(after.update > before.update, "Update %u follows %u",
		    after.update, before.update);
	TEST_ASSERT_EQ(remaining_updates(), left - 1);
}

/* Uploads an image that is refused. */
static void fail_update(const char *name)
{
	char error[80];

	upload(name, error, sizeof(error));
	TEST_ASSERT(!strcmp(error, REFUSED), "The driver says '%s'", error);
}

TEST(versions)
{
	char text[32];

	module_version();
	TEST_ASSERT_EQ(read_text(DEVICE "seamldr_version", text, sizeof(text)), 0);
	TEST_ASSERT(remaining_updates() > 0, "No update is possible");
}

#define NR_WORDS	4096	/* of 8 bytes, so some pages */

static u64 words[NR_WORDS];

static u64 word(unsigned int i)
{
	return 0x9e3779b97f4a7c15ull * (i + 1);
}

/* What is in memory and what is in registers stays. */
static void guest_code(void)
{
	unsigned int i, nr_words = NR_WORDS;
	u64 attributes = tdg_vp_info().attributes;

	for (i = 0; i < nr_words; i++)
		words[i] = word(i);
	GUEST_SYNC(1);
	for (i = 0; i < nr_words; i++)
		GUEST_ASSERT_EQ(words[i], word(i));
	GUEST_ASSERT_EQ(tdg_vp_info().attributes, attributes);
	GUEST_SYNC(2);
	GUEST_DONE();
}

KVM_ONE_VCPU_TD_TEST_SUITE(update);

KVM_ONE_VCPU_TD_TEST(update, td_lives_on, guest_code)
{
	struct kvm_vcpu *other;

	vcpu_run_to_sync(vcpu, 1);
	update();
	vcpu_run_to_sync(vcpu, 2);
	vcpu_run_to_done(vcpu);

	/* The new module also makes TDs. */
	vm_create_shape_with_one_vcpu(VM_SHAPE_TDX, &other, guest_code);
	vcpu_run_to_sync(other, 1);
	vcpu_run_to_sync(other, 2);
	vcpu_run_to_done(other);
	kvm_vm_free(other->vm);
}

static bool updated;

static void guest_sync_forever(void)
{
	for (;;)
		GUEST_SYNC(1);
}

static void *run_until_updated(void *vcpu)
{
	bool last;

	/* Once more after the update. */
	do {
		last = READ_ONCE(updated);
		vcpu_run_to_sync((struct kvm_vcpu *)vcpu, 1);
	} while (!last);
	return NULL;
}

KVM_ONE_VCPU_TD_TEST(update, of_a_running_td, guest_sync_forever)
{
	pthread_t thread;

	vcpu_run_to_sync(vcpu, 1);
	TEST_ASSERT_EQ(pthread_create(&thread, NULL, run_until_updated, vcpu), 0);
	update();
	WRITE_ONCE(updated, true);
	TEST_ASSERT_EQ(pthread_join(thread, NULL), 0);
}

KVM_ONE_VCPU_TD_TEST(update, damaged_header_is_refused, guest_code)
{
	struct version before = module_version(), after;

	vcpu_run_to_sync(vcpu, 1);
	fail_update("damaged-header");
	after = module_version();
	TEST_ASSERT_EQ(after.update, before.update);
	vcpu_run_to_sync(vcpu, 2);
	vcpu_run_to_done(vcpu);
}

KVM_ONE_VCPU_TD_TEST(update, never_ends, guest_sync_forever)
{
	const char *running = getenv("TDX_RUNNING");

	vcpu_run_to_sync(vcpu, 1);
	TEST_ASSERT(running && !mkdir(running, 0700), "Can't make TDX_RUNNING");
	for (;;)
		vcpu_run_to_sync(vcpu, 1);
}

/* The host goes on without TDX. */
static void lose_module(const char *image, const char *status)
{
	char text[64];

	snprintf(text, sizeof(text), "SEAMCALL (0x8000000000000001) failed: %s",
		 status);
	expect_kernel_log(text);
	fail_update(image);
	TEST_ASSERT_EQ(read_text(DEVICE "version", text, sizeof(text)), ENXIO);
}

/* No TD is possible afterwards. */
TEST(lost_damaged_module)
{
	lose_module("damaged-module", "0x8000000000020001");
}

TEST(lost_damaged_signature)
{
	lose_module("damaged-signature", "0x8000000000020000");
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
