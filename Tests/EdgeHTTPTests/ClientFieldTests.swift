import Foundation
import NIOCore
import Testing

@testable import EdgeHTTP

/// Who asks, if a proxy in between says so in a field.
struct ClientFieldTests {
    /// Takes addresses as they stand there.
    private static let field = ClientField("X-Client") { value in
        let peer = EdgePeer(try? SocketAddress(ipAddress: String(decoding: value, as: UTF8.self), port: 0))
        return peer == .unknown ? nil : peer
    }

    private static func named(in head: String) -> String? {
        ByteBuffer(string: head).withUnsafeReadableBytes { field.client(inHead: $0)?.text }
    }

    @Test(
        arguments: [
            ("X-Client: 192.0.2.9\r\n", "192.0.2.9"), ("x-client:2001:db8::9 \t\r\n", "2001:db8::9"),
            ("host: a\r\nX-CLIENT:\t192.0.2.9\r\nage: 1\r\n", "192.0.2.9"),
            // The proxy's own is behind the client's.
            ("x-client: 192.0.2.1\r\nx-client: 192.0.2.9\r\n", "192.0.2.9"),
            ("x-client: 192.0.2.1\r\nx-client: unknown\r\n", nil), ("x-client:\r\n", nil), ("", nil),
            ("x-clients: 192.0.2.9\r\n", nil), ("x-clien: 192.0.2.9\r\n", nil), ("ax-client: 192.0.2.9\r\n", nil),
            ("other: x-client: 192.0.2.9\r\n", nil),
        ] as [(String, String?)])
    func `the last field of its name in a head counts`(fields: String, address: String?) {
        let head = "GET /x-client:192.0.2.8 HTTP/1.1\r\n\(fields)\r\n"
        #expect(Self.named(in: head) == address)
        // Further values of if-none-match stand behind a head.
        #expect(Self.named(in: head + "\"g1-a\",x-client: 192.0.2.7") == address)
    }

    @Test(arguments: [nil, "http/1.1"])
    func `HTTP/1.1: a request is of whom the field names, else of the connection`(name: String?) async throws {
        try await withServer(tls: name != nil, { $0.clientField = Self.field }) { server in
            let client = try await server.connect(secure: name)
            let fields = [
                "", "x-client: 192.0.2.9\r\n", "x-client: what\r\n", "X-Client: ::9\r\nconnection: close\r\n",
            ]
            try await client.send(fields.map { "GET /whose HTTP/1.1\r\nhost: a\r\n\($0)\r\n" }.joined())
            let answers = HTTP1Answers(try await client.receiveAll()).all
            #expect(answers.map(\.body) == ["127.0.0.1", "192.0.2.9", "127.0.0.1", "::9"])
        }
    }

    @Test func `HTTP/2: the same, also of a field that the table remembers`() async throws {
        try await withServer({ $0.clientField = Self.field }) { server in
            let client = try server.connect()
            // "/whose", scheme and method; then the authority, which from the first request on is in the table.
            let start: [UInt8] = [0x82, 0x86, 0x04, 6] + Array("/whose".utf8)
            func text(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + Array(text.utf8) }
            let blocks: [[UInt8]] = [
                [0x41] + text("a"),
                // Inserted, at 62; the authority moves on to 63.
                [0xBE, 0x40] + text("x-client") + text("192.0.2.9"), [0xBF, 0xBE], [0xBF, 0xBE], [0xBF],
                // The name alone is remembered.
                [0xBF, 0x0F, 47] + text("what"), [0xBF, 0xBE, 0x0F, 47] + text("::9"),
            ]
            try client.send(RawHTTP2.preface + RawHTTP2.frame(RawHTTP2.settings))
            for (place, block) in blocks.enumerated() {
                try client.send(
                    RawHTTP2.frame(RawHTTP2.headers, flags: 5, stream: 2 * place + 1, start + block))
            }
            var told: [String] = []
            for place in blocks.indices {
                let frame = try await client.receiveFrame {
                    $0.type == RawHTTP2.data && $0.stream == 2 * place + 1 && !$0.payload.isEmpty
                }
                told.append(String(decoding: frame.payload, as: UTF8.self))
            }
            let (ours, named) = ("127.0.0.1", "192.0.2.9")
            #expect(told == [ours, named, named, named, ours, ours, "::9"])
        }
    }

    @Test func `an upgraded request keeps whom it was of`() async throws {
        try await withServer({ $0.clientField = Self.field }) { server in
            let client = try server.connect()
            try client.send(
                "GET /whose HTTP/1.1\r\nhost: a\r\nx-client: 192.0.2.9\r\nconnection: upgrade, http2-settings\r\n"
                    + "upgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAQAAAAIAAAAA\r\n\r\n")
            let switched = try await client.receive(until: "\r\n\r\n")
            let prefix = try #require(switched.range(of: "\r\n\r\n"))
            let first = try await client.receiveFrame(after: switched[..<prefix.upperBound].utf8.count) {
                $0.type == RawHTTP2.data
            }
            #expect(String(decoding: first.payload, as: UTF8.self) == "192.0.2.9")
        }
    }

    @Test func `without the setting nobody is believed`() async throws {
        try await withServer { server in
            let client = try server.connect()
            try client.send("GET /whose HTTP/1.1\r\nhost: a\r\nx-client: 192.0.2.9\r\nconnection: close\r\n\r\n")
            #expect(HTTP1Answers(try await client.receiveAll()).all.map(\.body) == ["127.0.0.1"])
        }
    }
}
