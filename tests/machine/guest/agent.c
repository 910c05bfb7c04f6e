// SPDX-License-Identifier: Apache-2.0
/*
 * The bench agent: runs commands that come over virtio-serial ports named
 * devhost.exec.N, one at a time on each port, and streams their output back.
 * In a guest it is PID 1. The other side is tests/machine/agent.py.
 *
 * Request: "DHX1", u32 id, u32 length, then NUL-terminated arguments.
 * Answer: frames of u32 id, u32 type (S started, O output, E error output,
 * X exit with a u32 status), u32 length, data. Integers are little-endian.
 * A request that arrives, or a port that closes, ends the running command.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PORTS_MAX	16
#define REQUEST_MAX	65536
#define ARGS_MAX	1024

struct header {
	uint32_t id;
	uint32_t type;
	uint32_t length;
};

static bool write_all(int fd, const void *data, size_t size)
{
	const char *p = data;

	while (size) {
		ssize_t n = write(fd, p, size);

		if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
			struct pollfd pfd = { .fd = fd, .events = POLLOUT };

			if (poll(&pfd, 1, -1) > 0 && (pfd.revents & POLLHUP))
				return false;
			continue;
		}
		if (n <= 0)
			return false;
		p += n;
		size -= n;
	}
	return true;
}

static bool send_frame(int port, uint32_t id, char type, const void *data, uint32_t length)
{
	char frame[sizeof(struct header) + 4096];
	struct header header = { id, (uint32_t)type, length };

	memcpy(frame, &header, sizeof(header));
	memcpy(frame + sizeof(header), data, length);
	return write_all(port, frame, sizeof(header) + length);
}

static bool read_all(int port, void *data, size_t size)
{
	char *p = data;

	while (size) {
		ssize_t n = read(port, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			struct pollfd pfd = { .fd = port, .events = POLLIN };

			poll(&pfd, 1, -1);
			continue;
		}
		if (n <= 0)
			return false;
		p += n;
		size -= n;
	}
	return true;
}

/* Relay what a pipe holds; false once it is closed. */
static bool relay(int port, uint32_t id, char type, int pipe)
{
	char data[4096];
	ssize_t n = read(pipe, data, sizeof(data));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	send_frame(port, id, type, data, n);
	return true;
}

static pid_t spawn(char **argv, int out, int err)
{
	sigset_t none;
	pid_t pid = fork();

	if (pid)
		return pid;
	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	dup2(open("/dev/null", O_RDONLY), 0);
	dup2(out, 1);
	dup2(err, 2);
	if (chdir("/root"))
		chdir("/");
	execvp(argv[0], argv);
	dprintf(2, "%s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static void run(int port, uint32_t id, char **argv)
{
	int out[2], err[2], status = 0;
	bool out_open = true, err_open = true;
	uint32_t code;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		return;
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	fcntl(err[0], F_SETFL, O_NONBLOCK);
	pid = spawn(argv, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	send_frame(port, id, 'S', "", 0);

	for (;;) {
		struct pollfd fds[] = {
			{ .fd = port, .events = POLLIN },
			{ .fd = out_open ? out[0] : -1, .events = POLLIN },
			{ .fd = err_open ? err[0] : -1, .events = POLLIN },
		};
		pid_t done;

		poll(fds, 3, 100);
		if (fds[0].revents)
			kill(-pid, SIGKILL);
		if (fds[1].revents)
			out_open = relay(port, id, 'O', out[0]);
		if (fds[2].revents)
			err_open = relay(port, id, 'E', err[0]);
		done = waitpid(pid, &status, out_open || err_open ? WNOHANG : 0);
		if (done == pid)
			break;
	}
	/* what it wrote last; its children may keep the pipes open */
	while (out_open || err_open) {
		struct pollfd fds[] = {
			{ .fd = out_open ? out[0] : -1, .events = POLLIN },
			{ .fd = err_open ? err[0] : -1, .events = POLLIN },
		};

		if (poll(fds, 2, 0) <= 0)
			break;
		if (fds[0].revents)
			out_open = relay(port, id, 'O', out[0]);
		if (fds[1].revents)
			err_open = relay(port, id, 'E', err[0]);
	}
	close(out[0]);
	close(err[0]);
	code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	send_frame(port, id, 'X', &code, sizeof(code));
}

static void serve(const char *device)
{
	static char request[REQUEST_MAX + 1];
	int port = open(device, O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (port < 0)
		_exit(1);
	signal(SIGPIPE, SIG_IGN);
	for (;;) {
		struct pollfd pfd = { .fd = port, .events = POLLIN };
		char magic[4], *argv[ARGS_MAX + 1];
		uint32_t head[2];
		size_t argc = 0;

		if (poll(&pfd, 1, -1) < 0)
			continue;
		if (!(pfd.revents & POLLIN) || (pfd.revents & POLLHUP)) {
			char c;

			/* nobody is there */
			if (read(port, &c, 0) == 0)
				usleep(50000);
			if (pfd.revents & POLLHUP)
				continue;
		}
		if (!read_all(port, magic, sizeof(magic)) || memcmp(magic, "DHX1", 4))
			continue;
		if (!read_all(port, head, sizeof(head)) || head[1] > REQUEST_MAX ||
		    !read_all(port, request, head[1]))
			continue;
		request[head[1]] = 0;
		for (char *p = request; p < request + head[1] && argc < ARGS_MAX; p += strlen(p) + 1)
			argv[argc++] = p;
		argv[argc] = NULL;
		if (argc)
			run(port, head[0], argv);
	}
}

static int find_ports(char devices[][64])
{
	const char *class = "/sys/class/virtio-ports";
	DIR *dir = opendir(class);
	struct dirent *entry;
	int found = 0;

	while (dir && (entry = readdir(dir)) && found < PORTS_MAX) {
		char path[512], name[64] = "";
		FILE *f;

		snprintf(path, sizeof(path), "%s/%s/name", class, entry->d_name);
		f = fopen(path, "r");
		if (!f)
			continue;
		if (fgets(name, sizeof(name), f) && !strncmp(name, "devhost.exec.", 13))
			snprintf(devices[found++], 64, "/dev/%.50s", entry->d_name);
		fclose(f);
	}
	if (dir)
		closedir(dir);
	return found;
}

int main(void)
{
	char devices[PORTS_MAX][64];
	int found;

	while (!(found = find_ports(devices)))
		usleep(100000);
	for (int i = 0; i < found; i++) {
		if (!fork()) {
			serve(devices[i]);
			_exit(0);
		}
	}
	/* as PID 1, also for orphans */
	for (;;) {
		if (wait(NULL) < 0)
			sleep(1);
	}
}
