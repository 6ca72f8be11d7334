import Foundation
import Synchronization
import TestSupport

/// The wall clock of one part, which the test sets while the part runs; the clock that never runs backwards stays right.
///
/// A library of twenty lines, made by the toolchain's clang and loaded before the C library, adds a number of seconds to
/// what the kernel says. libfaketime would not do: it moves timers of the monotonic clock too, by the same hour.
final class FakeClock: Sendable {
    static let reason = "needs clang"

    static var isPossible: Bool { Namespaces.isOnPath("clang") }

    private static let source = """
        #define _GNU_SOURCE
        #include <fcntl.h>
        #include <stdint.h>
        #include <stdlib.h>
        #include <sys/mman.h>
        #include <sys/syscall.h>
        #include <sys/time.h>
        #include <time.h>
        #include <unistd.h>
        static volatile const int64_t *shift;
        __attribute__((constructor)) static void begin(void) {
            const char *path = getenv("LONGSHORE_TEST_CLOCK");
            int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
            if (file < 0) return;
            void *page = mmap(0, sizeof *shift, PROT_READ, MAP_SHARED, file, 0);
            if (page != MAP_FAILED) shift = page;
            close(file);
        }
        int clock_gettime(clockid_t id, struct timespec *now) {
            long answer = syscall(SYS_clock_gettime, id, now);
            if (!answer && shift && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) now->tv_sec += *shift;
            return (int)answer;
        }
        int gettimeofday(struct timeval *now, void *zone) {
            struct timespec exact;
            clock_gettime(CLOCK_REALTIME, &exact);
            now->tv_sec = exact.tv_sec;
            now->tv_usec = exact.tv_nsec / 1000;
            return 0;
        }
        time_t time(time_t *into) {
            struct timespec exact;
            clock_gettime(CLOCK_REALTIME, &exact);
            if (into) *into = exact.tv_sec;
            return exact.tv_sec;
        }
        """

    private let path = Mutex("")

    /// Puts the parts of a place under this clock, which begins with the right time.
    func rule(_ place: inout LivePlace, in folder: String) async throws {
        path.withLock { $0 = folder + "/clock" }
        FileManager.default.createFile(atPath: folder + "/clock", contents: Data(count: 8))
        let (code, library) = (folder + "/clock.c", folder + "/clock.so")
        try Self.source.write(toFile: code, atomically: true, encoding: .utf8)
        let made = try await runTool("clang", ["-shared", "-fPIC", "-O1", "-o", library, code])
        guard made.status == 0 else { throw ToolFailed(text: made.text) }
        place.environment["LD_PRELOAD"] = library
        place.environment["LONGSHORE_TEST_CLOCK"] = folder + "/clock"
    }

    /// - Parameter seconds: how far from the right time; negative: behind.
    func set(_ seconds: Int64) throws {
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path.withLock { $0 }))
        try file.write(contentsOf: withUnsafeBytes(of: seconds) { Data($0) })
        try file.close()
    }
}
