import Dispatch
import Glibc

/// Bytes over a plain socket, for requests that no client library would send.
enum RawRequest {
    /// Sends all parts, then reads until the server closes or five seconds pass without a byte.
    ///
    /// - Parameter hangsUp: closes at once after sending, without reading.
    static func send(_ parts: [[UInt8]], port: Int, hangsUp: Bool = false, answerEndsWith end: String? = nil) async
        -> String
    {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(returning: blocking(parts, port, hangsUp, end))
            }
        }
    }

    private static func blocking(_ parts: [[UInt8]], _ port: Int, _ hangsUp: Bool, _ end: String?) -> String {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { return "cannot connect" }
        var patience = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        for part in parts {
            var sent = 0
            while sent < part.count {
                let count = part[sent...].withUnsafeBytes {
                    Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                if count <= 0 { break }
                sent += count
            }
        }
        return hangsUp ? "" : read(descriptor, until: end)
    }

    private static func read(_ descriptor: Int32, until end: String?) -> String {
        var answer: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = recv(descriptor, &piece, piece.count, 0)
            guard count > 0 else { return String(decoding: answer, as: UTF8.self) }
            answer += piece[..<count]
            if let end, String(decoding: answer, as: UTF8.self).hasSuffix(end) {
                return String(decoding: answer, as: UTF8.self)
            }
        }
    }

    /// The head of a publish, with whatever length it claims.
    static func publishHead(token: String, contentLength: Int, extra: String = "") -> [UInt8] {
        Array(
            ("PUT /main/api/v1/crates/new HTTP/1.1\r\nhost: x\r\nauthorization: \(token)\r\n"
                + "content-length: \(contentLength)\r\n\(extra)\r\n").utf8)
    }
}
