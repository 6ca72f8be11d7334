#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The right to run a cluster's server: a lock on a file, which the kernel frees when its holder is gone.
final class EmbeddedClusterLock: Sendable {
    private let descriptor: CInt

    private init(_ descriptor: CInt) { self.descriptor = descriptor }

    deinit { _ = close(descriptor) }

    /// - Returns: nil if another program, or another cluster of this one, holds the lock.
    static func take(_ path: String) throws(EmbeddedClusterError) -> EmbeddedClusterLock? {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .now("open", path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            _ = close(descriptor)
            return nil
        }
        return EmbeddedClusterLock(descriptor)
    }
}
