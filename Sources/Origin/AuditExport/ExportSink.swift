import FoundationEssentials

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Where an export goes: `-` (standard output), a file that is appended to, or an address that takes POSTs.
enum ExportSink: Hashable, Sendable {
    case standardOutput
    case file(String)
    /// - Parameter authorization: the whole value of that header.
    case web(url: String, authorization: String?)

    /// - Throws: over an address without encryption, unless it is on this machine: the log goes over it, and a secret.
    init(_ text: String, authorization: String?) throws(Problem) {
        if text == "-" {
            self = .standardOutput
        } else if text.hasPrefix("https://") {
            self = .web(url: text, authorization: authorization)
        } else if text.hasPrefix("http://") {
            let host = try? HTTPPost.Target(text).host
            guard ["127.0.0.1", "::1", "localhost"].contains(host) else {
                throw Problem(
                    description: "`\(text)` is not encrypted; the audit log leaves this machine by https only")
            }
            self = .web(url: text, authorization: authorization)
        } else {
            self = .file(text)
        }
    }

    struct Problem: Error, Hashable, CustomStringConvertible {
        let description: String
        var retryCanHelp = false
        /// Seconds that the other side asks us to wait.
        var pause: Int?
    }

    /// Returns when the batch is where it belongs: on disk, or accepted with 2xx.
    func send(_ batch: ExportBatch) async throws {
        switch self {
        case .standardOutput:
            guard Self.write(batch.text, to: STDOUT_FILENO) else { throw Self.failure("written", "standard output") }
        case .file(let path): try Self.append(batch.text, to: path)
        case .web(let url, let authorization):
            var headers = [
                ("content-type", "application/x-ndjson"), ("longshore-first", "\(batch.firstSeq)"),
                ("longshore-last", "\(batch.lastSeq)"),
            ]
            if let authorization { headers.append(("authorization", authorization)) }
            // The operator of this machine named it, so it may be in their own network.
            switch await HTTPPost(url: url, allowsPrivate: true).send(batch.text, headers: headers) {
            case .accepted: return
            case .refused(let why, let retryCanHelp, let pause):
                // A query may hold a key.
                throw Problem(
                    description: "\(url.prefix { $0 != "?" }) \(why)", retryCanHelp: retryCanHelp, pause: pause)
            }
        }
    }

    private static func append(_ text: String, to path: String) throws(Problem) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw failure("opened", path) }
        defer { close(descriptor) }
        // What an export that was killed has half written comes again.
        let end = wholeLinesEnd(descriptor)
        guard ftruncate(descriptor, off_t(end)) == 0, lseek(descriptor, 0, SEEK_END) >= 0,
            write(text, to: descriptor), fsync(descriptor) == 0
        else { throw failure("written", path) }
    }

    /// Behind the last line feed; the whole size of what is no regular file.
    private static func wholeLinesEnd(_ descriptor: CInt) -> Int {
        let size = Int(lseek(descriptor, 0, SEEK_END))
        var end = size
        var piece = [UInt8](repeating: 0, count: 4096)
        while end > 0 {
            let start = max(0, end - piece.count)
            let count = pread(descriptor, &piece, end - start, off_t(start))
            guard count == end - start else { return size }
            if let mark = piece[..<count].lastIndex(of: UInt8(ascii: "\n")) { return start + mark + 1 }
            end = start
        }
        return 0
    }

    private static func write(_ text: String, to descriptor: CInt) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { systemWrite(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 || errno == EINTR else { return false }
            rest = rest.dropFirst(max(count, 0))
        }
        return true
    }

    private static func failure(_ verb: String, _ what: String) -> Problem {
        Problem(description: "\(what) can't be \(verb): \(String(cString: strerror(errno)))")
    }
}

private func systemWrite(_ descriptor: CInt, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}

/// Whether a text is an IP address.
enum IPAddress {
    static func isOne(_ text: String) -> Bool {
        var bytes = [UInt8](repeating: 0, count: 16)
        return inet_pton(AF_INET, text, &bytes) == 1 || inet_pton(AF_INET6, text, &bytes) == 1
    }
}
