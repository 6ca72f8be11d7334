import Hosting

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A text that a command is given in a file; a pipe will do.
enum InputFile {
    /// Blocks while it reads.
    ///
    /// - Throws: `CommandFailure` with the path and the cause: it can't be read, is longer, or is not UTF-8.
    static func text(_ path: String, bytesMax: Int) throws -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unreadable(path) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(descriptor, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw unreadable(path) }
            guard count > 0 else { break }
            bytes += piece[..<count]
            guard bytes.count <= bytesMax else {
                throw CommandFailure("\(path) has more than \(bytesMax >> 20) MiB: is it the right file?")
            }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CommandFailure("\(path) is no text in UTF-8: is it the right file?")
        }
        return text
    }

    /// The same, taken for what it must be.
    ///
    /// - Throws: `CommandFailure`, before which the path stands, for what `parse` throws.
    static func parsed<Value, Problem: Error>(
        _ path: String, bytesMax: Int, _ parse: (String) throws(Problem) -> Value
    ) throws -> Value {
        let text = try text(path, bytesMax: bytesMax)
        do throws(Problem) { return try parse(text) } catch { throw CommandFailure("\(path): \(error)") }
    }

    private static func unreadable(_ path: String) -> CommandFailure {
        CommandFailure("\(path) can't be read: \(Explanation.of(errorNumber: errno))")
    }
}
