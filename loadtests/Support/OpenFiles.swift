#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// How many connections this process may hold open.
enum OpenFiles {
    #if canImport(Glibc)
        private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
        private static let resource = RLIMIT_NOFILE
    #endif

    /// Raises the soft limit as far as it is needed and allowed.
    ///
    /// - Throws: `BenchFailure` if the hard limit is lower.
    static func allow(_ count: Int) throws(BenchFailure) {
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur < rlim_t(count) else { return }
        limit.rlim_cur = rlim_t(count)
        guard limit.rlim_max >= rlim_t(count), setrlimit(resource, &limit) == 0 else {
            throw BenchFailure(
                "\(count) open files are needed and \(limit.rlim_max) are allowed: raise the limit (`ulimit -Hn`), or "
                    + "ask for fewer --subscribers")
        }
    }
}
