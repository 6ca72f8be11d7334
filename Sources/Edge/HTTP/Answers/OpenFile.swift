import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file opened for answers; closed when the last user lets go of it.
final class OpenFile: Sendable {
    let descriptor: CInt
    let bytes: Int
    private let facts: Facts

    /// What changes when another file comes under the same path, or this one is written to.
    private struct Facts: Equatable {
        let device: dev_t
        let number: ino_t
        let seconds: Int
        let nanoseconds: Int
        let bytes: Int

        init(_ facts: stat) {
            device = facts.st_dev
            number = facts.st_ino
            #if canImport(Glibc)
                (seconds, nanoseconds) = (facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec)
            #else
                (seconds, nanoseconds) = (facts.st_mtimespec.tv_sec, facts.st_mtimespec.tv_nsec)
            #endif
            bytes = Int(facts.st_size)
        }
    }

    /// Blocks; called on the thread pool only.
    ///
    /// - Throws: `FileTrouble` if the file is absent, is no regular file, or has another size than announced.
    init(_ answer: FileAnswer) throws(FileTrouble) {
        let descriptor = open(answer.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .cannotOpen(path: answer.path, errno: errno) }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG, Int(facts.st_size) == answer.bytes
        else {
            close(descriptor)
            throw .otherSize(path: answer.path, announced: answer.bytes, found: Int(facts.st_size))
        }
        self.descriptor = descriptor
        self.facts = Facts(facts)
        bytes = answer.bytes
    }

    deinit { close(descriptor) }

    /// Whether its path leads to this very file, unchanged. Asks the system, which does not wait for the disk for what was
    /// in use a moment ago.
    func isStill(at path: String) -> Bool {
        var now = stat()
        return stat(path, &now) == 0 && Facts(now) == facts
    }

    /// Blocks; called on the thread pool only.
    ///
    /// - Returns: exactly `count` bytes.
    func read(_ count: Int, at offset: Int, allocator: ByteBufferAllocator) throws(FileTrouble) -> ByteBuffer {
        var chunk = allocator.buffer(capacity: count)
        var done = 0
        while done < count {
            let got = chunk.writeWithUnsafeMutableBytes(minimumWritableBytes: count - done) { space in
                max(pread(descriptor, space.baseAddress, count - done, off_t(offset + done)), 0)
            }
            guard got > 0 else { throw .cutShort(at: offset + done, errno: errno) }
            done += got
        }
        return chunk
    }
}

/// Why a file could not be sent whole; for the log.
enum FileTrouble: Error, CustomStringConvertible {
    case cannotOpen(path: String, errno: CInt)
    case otherSize(path: String, announced: Int, found: Int)
    case cutShort(at: Int, errno: CInt)

    var description: String {
        switch self {
        case .cannotOpen(let path, let number): "\(path) cannot be opened: \(String(cString: strerror(number)))"
        case .otherSize(let path, let announced, let found):
            "\(path) should have \(announced) bytes but has \(found), or is no plain file"
        case .cutShort(let offset, let number):
            "the file ended or failed at byte \(offset) while it was sent: \(String(cString: strerror(number)))"
        }
    }
}
