// SPDX-License-Identifier: GPL-2.0
/*
 * init of the box: makes the host's files visible, runs one command, hands its
 * output and its exit status out, and ends the machine.
 *
 * What the launcher (tdx/cmd/machine.py) gives it:
 *
 *   The initramfs has a directory /box with the files of this run.
 *     argv, env	the command and its environment, strings that end in NUL
 *     cwd	its current directory
 *     umask	in octal
 *     winsize	"ROWS COLUMNS", if it runs on a terminal
 *     out	the directory whose files last, if there is one
 *     stdin	the command's input, if the port tdx.stdin is not there
 *     links	pairs of strings that end in NUL: a symbolic link's target and
 *		its place
 *     given/	files for the command, which finds them in /dev/tdx-box
 *
 *   The 9p tag "root" is the host's file system, read only.  It becomes the lower
 *   half of an overlay, so a program can write wherever it could outside, and
 *   nothing of it lasts.  The 9p tag "out" is the directory whose files last.
 *
 *   virtio-serial ports are the command's standard streams (tdx.stdin, tdx.stdout,
 *   tdx.stderr).  With a terminal, the console hvc0 takes their place, and
 *   tdx.winsize tells each new size.  tdx.status takes the result: "exit N",
 *   "signal N" or "error TEXT".
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define BOX		"/box"
#define GIVEN		"/dev/tdx-box"
#define LEAKS		"/sys/kernel/debug/kmemleak"
#define ROOT		"/root"
#define P9_OPTIONS	"trans=virtio,version=9p2000.L,msize=262144,access=any"

/* How long a virtio port may take to appear under a loaded emulator. */
#define PORT_TIMEOUT_MS	60000

static int box_dir = -1;
static int status_port = -1;

static int find_port(const char *name, int flags);

/* Tells the launcher how it ended, and ends the machine. */
static void __attribute__((noreturn)) finish(const char *fmt, ...)
{
	va_list ap;

	if (status_port < 0)
		status_port = find_port("tdx.status", O_WRONLY);
	va_start(ap, fmt);
	if (status_port < 0 || vdprintf(status_port, fmt, ap) < 0)
		fprintf(stderr, "tdx-box: cannot write the status\n");
	va_end(ap);

	sync();
	reboot(RB_AUTOBOOT);
	pause();
	_exit(1);
}

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "tdx-box: %s: %m\n", what);
	finish("error %s: %s\n", what, strerror(errno));
}

static void mount_at(const char *type, const char *source, const char *target,
		     unsigned long flags, const char *options)
{
	mkdir(target, 0755);
	if (mount(source, target, type, flags, options))
		die(target);
}

/* For what a kernel of the user's own may lack. */
static void mount_if(const char *type, const char *target)
{
	if (mount(type, target, type, 0, NULL))
		fprintf(stderr, "tdx-box: no %s: %m\n", type);
}

/* Reads a file of the run's directory; NULL if there is none. */
static char *read_box_file(const char *name, size_t *size)
{
	int fd = openat(box_dir, name, O_RDONLY);
	size_t len = 0, room = 4096;
	char *text = malloc(room + 1);
	ssize_t n;

	if (fd < 0 || !text) {
		free(text);
		return NULL;
	}
	while ((n = read(fd, text + len, room - len)) > 0) {
		len += n;
		if (len == room) {
			room *= 2;
			text = realloc(text, room + 1);
			if (!text)
				die(name);
		}
	}
	if (n < 0)
		die(name);
	close(fd);
	text[len] = '\0';
	if (size)
		*size = len;
	return text;
}

/*
 * Reads a file of strings that end in NUL into an array that ends in NULL; NULL
 * if there is no such file.
 */
static char **read_strings(const char *name)
{
	size_t size, n = 0;
	char **strings;
	char *text, *s;

	text = read_box_file(name, &size);
	if (!text)
		return NULL;
	for (s = text; s < text + size; s += strlen(s) + 1)
		n++;
	strings = calloc(n + 1, sizeof(*strings));
	if (!strings)
		die(name);
	for (s = text, n = 0; s < text + size; s += strlen(s) + 1)
		strings[n++] = s;
	return strings;
}

/*
 * Programs that lie elsewhere, at the place where their user looks for them.
 * Without one the command says itself that there is nothing.
 */
static void make_links(char **links)
{
	char path[4200];

	for (; links && links[0] && links[1]; links += 2) {
		snprintf(path, sizeof(path), ROOT "%s", links[1]);
		if (symlink(links[0], path))
			fprintf(stderr, "tdx-box: %s: %m\n", links[1]);
	}
}

static void make_root(void)
{
	char *out = read_box_file("out", NULL);

	mount_at("9p", "root", "/lower", MS_RDONLY, P9_OPTIONS ",cache=loose");
	mount_at("tmpfs", "upper", "/upper", 0, "mode=755");
	mkdir("/upper/files", 0755);
	mkdir("/upper/work", 0755);
	mount_at("overlay", "root", ROOT, 0,
		 "lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work");

	mount_at("proc", "proc", ROOT "/proc", 0, NULL);
	if (mount("/sys", ROOT "/sys", NULL, MS_MOVE, NULL))
		die("/sys");
	mount_if("debugfs", ROOT "/sys/kernel/debug");
	mount_if("tracefs", ROOT "/sys/kernel/tracing");
	mount_if("cgroup2", ROOT "/sys/fs/cgroup");
	mount_at("devtmpfs", "devtmpfs", ROOT "/dev", 0, NULL);
	mount_at("devpts", "devpts", ROOT "/dev/pts", 0, "ptmxmode=666");
	mount_at("tmpfs", "shm", ROOT "/dev/shm", 0, NULL);
	if (symlink("/proc/self/fd", ROOT "/dev/fd") ||
	    symlink("fd/0", ROOT "/dev/stdin") ||
	    symlink("fd/1", ROOT "/dev/stdout") ||
	    symlink("fd/2", ROOT "/dev/stderr"))
		die("/dev/fd");

	make_links(read_strings("links"));
	if (!access(BOX "/given", F_OK))
		mount_at(NULL, BOX "/given", ROOT GIVEN, MS_BIND, NULL);
	if (out) {
		char path[4200];

		snprintf(path, sizeof(path), ROOT "%s", out);
		mount_at("9p", "out", path, 0, P9_OPTIONS ",cache=mmap");
		free(out);
	}
	/* Moved to the top, as no user namespace can be made in a chroot. */
	if (chdir(ROOT) || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
		die("chroot");
	if (sethostname("tdx-box", strlen("tdx-box")))
		die("sethostname");
}

/* Lets programs reach each other at 127.0.0.1, if the kernel has such networks. */
static void start_loopback(void)
{
	struct ifreq loopback = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	if (ioctl(fd, SIOCSIFFLAGS, &loopback))
		fprintf(stderr, "tdx-box: lo: %m\n");
	close(fd);
}

/* Opens the virtio-serial port that has this name; -1 if there is none yet. */
static int find_port(const char *name, int flags)
{
	DIR *dir = opendir("/sys/class/virtio-ports");
	struct dirent *entry;
	char path[300], text[32] = "";
	int fd = -1, len = strlen(name);

	while (dir && fd < 0 && (entry = readdir(dir))) {
		snprintf(path, sizeof(path),
			 "/sys/class/virtio-ports/%s/name", entry->d_name);
		fd = open(path, O_RDONLY);
		if (fd < 0)
			continue;
		if (read(fd, text, sizeof(text)) != len + 1 ||
		    memcmp(text, name, len)) {
			close(fd);
			fd = -1;
			continue;
		}
		close(fd);
		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		fd = open(path, flags | O_CLOEXEC);
		break;
	}
	if (dir)
		closedir(dir);
	return fd;
}

/*
 * Ports come up one after the other once the driver is there, without anything
 * to wait on.
 */
static int open_port(const char *name, int flags)
{
	int waited, fd;

	for (waited = 0; waited < PORT_TIMEOUT_MS; waited++) {
		fd = find_port(name, flags);
		if (fd >= 0)
			return fd;
		poll(NULL, 0, 1);
	}
	errno = ENODEV;
	die(name);
}

static bool write_all(int fd, const char *buf, size_t len)
{
	while (len) {
		ssize_t n = write(fd, buf, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		buf += n;
		len -= n;
	}
	return true;
}

/* A pump moves bytes from one descriptor to another; from is -1 once it ended. */
struct pump {
	int from;
	int to;
};

static void pump_once(struct pump *pump)
{
	char buf[65536];
	ssize_t n = read(pump->from, buf, sizeof(buf));

	if (n > 0) {
		write_all(pump->to, buf, n);
		return;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	close(pump->from);
	pump->from = -1;
}

/* Takes what lies in a pipe now; its writers may be gone or may never go. */
static void pump_rest(struct pump *pump)
{
	struct pollfd fd = { .fd = pump->from, .events = POLLIN };

	while (pump->from >= 0 && poll(&fd, 1, 0) > 0)
		pump_once(pump);
}

static void wake_up(int sig)
{
	(void)sig;
}

static int exec_command(char **argv, char **env)
{
	char *mask = read_box_file("umask", NULL);

	if (mask)
		umask(strtol(mask, NULL, 8));
	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	environ = env;
	execvp(argv[0], argv);
	fprintf(stderr, "tdx-box: %s: %m\n", argv[0]);
	return errno == ENOENT ? 127 : 126;
}

/*
 * Reaps until @child has ended.  Returns true with its status in *@status, or
 * false if it still runs.
 */
static bool reap(pid_t child, int *status)
{
	int s;
	pid_t pid;

	while ((pid = waitpid(-1, &s, WNOHANG)) > 0) {
		if (pid == child) {
			*status = s;
			return true;
		}
	}
	return false;
}

/* Copies until either end goes away; a process of its own, as both may block. */
static void start_copy(int from, int to)
{
	char buf[65536];
	ssize_t n;

	if (fork())
		return;
	while ((n = read(from, buf, sizeof(buf))) > 0)
		if (!write_all(to, buf, n))
			break;
	_exit(0);
}

static int run_with_pipes(char **argv, char **env)
{
	int in[2], out[2], err[2], stdin_file, stdin_port, status;
	struct pump pumps[2];
	sigset_t blocked, none;
	pid_t child;
	int i;

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		die("pipe");

	/*
	 * stdin's port is the first of the three.  The name of the last one
	 * comes after the news that the first is connected, without which
	 * reading it looks like end of file.
	 */
	pumps[0] = (struct pump){ err[0], open_port("tdx.stderr", O_WRONLY) };
	pumps[1] = (struct pump){ out[0], open_port("tdx.stdout", O_WRONLY) };
	stdin_file = openat(box_dir, "stdin", O_RDONLY | O_CLOEXEC);
	stdin_port = stdin_file < 0 ? open_port("tdx.stdin", O_RDONLY) : -1;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGCHLD);
	sigprocmask(SIG_BLOCK, &blocked, &none);
	signal(SIGCHLD, wake_up);

	child = fork();
	if (child < 0)
		die("fork");
	if (!child) {
		setsid();
		dup2(stdin_file < 0 ? in[0] : stdin_file, 0);
		dup2(out[1], 1);
		dup2(err[1], 2);
		sigprocmask(SIG_SETMASK, &none, NULL);
		_exit(exec_command(argv, env));
	}
	close(in[0]);
	close(out[1]);
	close(err[1]);
	if (stdin_port >= 0)
		start_copy(stdin_port, in[1]);
	close(in[1]);

	while (!reap(child, &status)) {
		struct pollfd fds[2] = {
			{ .fd = pumps[0].from, .events = POLLIN },
			{ .fd = pumps[1].from, .events = POLLIN },
		};

		if (ppoll(fds, 2, NULL, &none) < 0)
			continue;
		for (i = 0; i < 2; i++)
			if (fds[i].revents)
				pump_once(&pumps[i]);
	}
	pump_rest(&pumps[0]);
	pump_rest(&pumps[1]);
	return status;
}

/* Gives the console each size that the launcher tells. */
static void follow_size(void)
{
	int console = open("/dev/hvc0", O_RDWR | O_NOCTTY | O_CLOEXEC);
	FILE *sizes = fdopen(open_port("tdx.winsize", O_RDONLY), "r");
	struct winsize size = { 0 };
	char line[80];

	if (fork())
		return;
	while (sizes && fgets(line, sizeof(line), sizes))
		if (sscanf(line, "%hu %hu", &size.ws_row, &size.ws_col) == 2)
			ioctl(console, TIOCSWINSZ, &size);
	_exit(0);
}

static int run_on_console(char **argv, char **env, const char *winsize)
{
	struct winsize size = { 0 };
	pid_t child;
	int status;

	if (sscanf(winsize, "%hu %hu", &size.ws_row, &size.ws_col) != 2)
		die("winsize");
	follow_size();
	child = fork();
	if (child < 0)
		die("fork");
	if (!child) {
		int fd;

		setsid();
		fd = open("/dev/hvc0", O_RDWR);
		if (fd < 0 || ioctl(fd, TIOCSCTTY, 0))
			die("/dev/hvc0");
		ioctl(fd, TIOCSWINSZ, &size);
		dup2(fd, 0);
		dup2(fd, 1);
		dup2(fd, 2);
		_exit(exec_command(argv, env));
	}
	while (waitpid(-1, &status, 0) != child)
		;
	/* The console still holds what the emulator has not taken. */
	tcdrain(open("/dev/hvc0", O_WRONLY | O_NOCTTY));
	return status;
}

/*
 * Puts what the kernel has lost into its log, if it looks for that.  An object is lost
 * when two scans did not find a pointer to it.
 */
static void report_leaks(void)
{
	int control = open(LEAKS, O_WRONLY | O_CLOEXEC);
	FILE *leaks;
	char line[200];

	if (control < 0)
		return;
	if (!write_all(control, "scan", 4) || !write_all(control, "scan", 4))
		fprintf(stderr, "tdx-box: %s: %m\n", LEAKS);
	close(control);
	leaks = fopen(LEAKS, "re");
	while (leaks && fgets(line, sizeof(line), leaks))
		fprintf(stderr, "%s", line);
}

int main(void)
{
	char **argv, **env, *cwd, *winsize;
	int status;

	mkdir("/dev", 0755);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	dup2(open("/dev/kmsg", O_WRONLY), 2);
	signal(SIGPIPE, SIG_IGN);
	umask(022);

	mount_at("sysfs", "sysfs", "/sys", 0, NULL);
	box_dir = open(BOX, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (box_dir < 0)
		die(BOX);
	make_root();
	start_loopback();

	status_port = open_port("tdx.status", O_WRONLY);
	argv = read_strings("argv");
	env = read_strings("env");
	cwd = read_box_file("cwd", NULL);
	winsize = read_box_file("winsize", NULL);
	if (!argv || !argv[0] || !env || !cwd || chdir(cwd))
		die(cwd ? cwd : "cwd");

	fprintf(stderr, "tdx-box: run %s\n", argv[0]);
	status = winsize ? run_on_console(argv, env, winsize) :
			   run_with_pipes(argv, env);
	report_leaks();
	if (WIFSIGNALED(status))
		finish("signal %d\n", WTERMSIG(status));
	finish("exit %d\n", WEXITSTATUS(status));
}
