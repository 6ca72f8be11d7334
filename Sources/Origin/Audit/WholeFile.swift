#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A new file that is there whole, on disk, or not at all. What it holds is no secret.
final class WholeFile {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let path: String
    private let draft: String
    private let descriptor: CInt
    private var isKept = false

    /// - Throws: `Failure` if there is such a file, or none can be made.
    init(path: String) throws(Failure) {
        guard access(path, F_OK) != 0 else {
            throw Failure(description: "\(path) is there already; choose another file")
        }
        self.path = path
        draft = "\(path).\(getpid()).draft"
        descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Self.failure("made", path) }
    }

    deinit {
        close(descriptor)
        if !isKept { unlink(draft) }
    }

    func append(_ text: String) throws(Failure) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw Self.failure("written", path) }
            rest = rest.dropFirst(count)
        }
    }

    /// Gives the file its name, when its content is on disk.
    func keep() throws(Failure) {
        guard fsync(descriptor) == 0, link(draft, path) == 0 else { throw Self.failure("written", path) }
        unlink(draft)
        isKept = true
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let place = open(folder, O_RDONLY | O_CLOEXEC)
        guard place >= 0 else { throw Self.failure("written", path) }
        defer { close(place) }
        guard fsync(place) == 0 else { throw Self.failure("written", path) }
    }

    private static func failure(_ verb: String, _ path: String) -> Failure {
        Failure(description: "\(path) can't be \(verb): \(String(cString: strerror(errno)))")
    }
}
