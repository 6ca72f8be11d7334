#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where a stream of bytes goes, one buffer at a time.
package protocol ByteSink: AnyObject {
    func write(_ bytes: UnsafeRawBufferPointer) throws
}

/// Keeps all bytes in memory.
package final class BytesSink: ByteSink {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    /// Appends `bytes`.
    package func write(_ bytes: UnsafeRawBufferPointer) { self.bytes.append(contentsOf: bytes) }
}

/// Writes a new file; it is not synced, so whoever needs it durable does that.
package final class FileSink: ByteSink {
    private let descriptor: Int32
    private let path: String

    /// Makes the file, or empties the one that is there.
    package init(path: String) throws(FileFailure) {
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        self.path = path
        guard descriptor >= 0 else { throw FileFailure(doing: "make", path: path, code: errno) }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Writes all of `bytes`, in as many calls as the system needs. Throws `FileFailure`.
    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while !rest.isEmpty {
            #if canImport(Glibc)
                let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            #elseif canImport(Musl)
                let count = Musl.write(descriptor, rest.baseAddress, rest.count)
            #else
                let count = Darwin.write(descriptor, rest.baseAddress, rest.count)
            #endif
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw FileFailure(doing: "write", path: path, code: errno) }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }
}
