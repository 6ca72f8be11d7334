import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A TCP connection that sends exactly the given bytes; blocking, with ten seconds for each step.
final class RawConnection: RawClient {
    private let socket: CInt
    private let bytes = Mutex<[UInt8]>([])

    /// Everything that has come so far.
    var received: [UInt8] { bytes.withLock { $0 } }

    init(port: Int, receiveBytesMax: Int? = nil) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var one: CInt = 1
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<CInt>.size))
        if var bytes = receiveBytesMax.map(CInt.init) {
            setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<CInt>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw RawFailure(step: "connect") }
    }

    deinit { close(socket) }

    func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { throw RawFailure(step: "send") }
            rest = rest.dropFirst(sent)
        }
    }

    func send(_ bytes: some Sequence<UInt8>) throws { try send(Array(bytes)) }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func receive() async throws -> Bool {
        let chunk = try await onThread { try self.read() }
        bytes.withLock { $0 += chunk }
        return !chunk.isEmpty
    }

    private func read() throws -> [UInt8] {
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(socket, &chunk, chunk.count, 0)
        if count < 0, errno == EAGAIN { throw RawFailure(step: "receive: nothing for ten seconds") }
        return Array(chunk.prefix(max(count, 0)))
    }
}

/// Blocking calls get a thread of their own: the few that run tests must stay free for the others.
private func onThread<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { done in
        Thread.detachNewThread { done.resume(with: Swift.Result { try work() }) }
    }
}

/// Splits a stream of HTTP/1.1 answers; bodies by `content-length`.
struct HTTP1Answers {
    struct Answer: Equatable {
        let status: Int
        let head: String
        let body: String
    }

    let all: [Answer]

    init(_ stream: String, headOnly: Bool = false) {
        var rest = Substring(stream)
        var answers: [Answer] = []
        while let end = rest.range(of: "\r\n\r\n") {
            let head = String(rest[..<end.lowerBound])
            rest = rest[end.upperBound...]
            let length =
                head.split(separator: "\r\n").first { $0.hasPrefix("content-length: ") }
                .flatMap { Int($0.dropFirst(16)) } ?? 0
            let body = headOnly ? "" : String(rest.prefix(length))
            rest = rest.dropFirst(body.count)
            answers.append(Answer(status: Int(head.dropFirst(9).prefix(3)) ?? 0, head: head, body: body))
        }
        all = answers
    }
}
