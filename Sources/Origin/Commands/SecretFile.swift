#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A new file that only its owner may read.
enum SecretFile {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// - Throws: `Failure` if the file exists or can't be written; nothing half-written stays.
    static func write(_ secret: String, to path: String) throws(Failure) {
        // The mode from the start: a later chmod would leave a moment in which others can open it.
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("made", path) }
        defer { close(descriptor) }
        let bytes = Array((secret + "\n").utf8)
        guard systemWrite(descriptor, bytes) == bytes.count, fsync(descriptor) == 0 else {
            let why = failure("written", path)
            unlink(path)
            throw why
        }
    }

    private static func failure(_ verb: String, _ path: String) -> Failure {
        Failure(description: "\(path) can't be \(verb): \(String(cString: strerror(errno)))")
    }
}

private func systemWrite(_ descriptor: CInt, _ bytes: [UInt8]) -> Int { write(descriptor, bytes, bytes.count) }
