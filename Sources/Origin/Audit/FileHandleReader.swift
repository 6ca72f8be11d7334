#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Reads a file line by line in bounded memory.
final class FileHandleReader {
    private let path: String
    private let descriptor: CInt
    private var held: [UInt8] = []
    private var start = 0
    private var isAtEnd = false

    /// - Returns: nil if the file can't be opened; `errno` says why.
    init?(path: String) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        self.path = path
    }

    deinit { close(descriptor) }

    /// - Returns: the next line without its line feed; nil at the end.
    /// - Throws: over a line that is longer.
    func line(bytesMax: Int) throws -> String? {
        while true {
            if let end = held[start...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                return String(decoding: held[start..<end], as: UTF8.self)
            }
            guard held.count - start <= bytesMax else {
                throw AuditArchiveFile.Failure(description: "\(path): a line is longer than \(bytesMax) bytes")
            }
            guard try !isAtEnd && fill() else {
                guard start < held.count else { return nil }
                defer { start = held.count }
                return String(decoding: held[start...], as: UTF8.self)
            }
        }
    }

    private func fill() throws -> Bool {
        held.removeFirst(start)
        start = 0
        var piece = [UInt8](repeating: 0, count: 256 << 10)
        let count = read(descriptor, &piece, piece.count)
        guard count >= 0 else {
            throw AuditArchiveFile.Failure(description: "\(path) can't be read: \(String(cString: strerror(errno)))")
        }
        held += piece[..<count]
        isAtEnd = count == 0
        return count > 0
    }
}
