import EdgeHTTP
import Synchronization
import Testing

/// What HTTP/2 forbids in a head, because it means something else where the request is passed on as HTTP/1.1. RFC 9113, 8.
struct HTTP2RefusalTests {
    struct Case: Sendable {
        let name: String
        let fields: [(String, String)]

        init(_ name: String, _ fields: [(String, String)]) {
            self.name = name
            self.fields = fields
        }

        /// A good head, and this after it.
        init(_ name: String, adding field: (String, String)) { self.init(name, HTTP2RefusalTests.good + [field]) }
    }

    private static let good = [
        (":method", "GET"), (":scheme", "http"), (":path", "/echo/bad"), (":authority", "localhost"),
    ]

    private static let cases = [
        Case("connection", adding: ("connection", "close")),
        Case("keep-alive", adding: ("keep-alive", "timeout=5")),
        Case("proxy-connection", adding: ("proxy-connection", "keep-alive")),
        Case("transfer-encoding", adding: ("transfer-encoding", "chunked")),
        Case("upgrade", adding: ("upgrade", "h2c")),
        Case("te that is not trailers", adding: ("te", "gzip")),
        Case("a name with a capital letter", adding: ("X-upper", "y")),
        Case("length in capitals", adding: ("Content-Length", "0")),
        Case("two lengths", Self.good + [("content-length", "0"), ("content-length", "0")]),
        Case("a length with a plus", adding: ("content-length", "+0")),
        Case("a list of lengths", adding: ("content-length", "0, 0")),
        Case("a length without a number", adding: ("content-length", "")),
        Case("a pseudo-header after a field", Array(Self.good.prefix(3)) + [("x", "y"), (":authority", "localhost")]),
        Case("a pseudo-header that nobody knows", [(":secret", "y")] + Self.good),
        Case("a status", [(":status", "200")] + Self.good),
        Case("two paths", [(":path", "/echo")] + Self.good),
        Case("two methods", [(":method", "GET")] + Self.good),
        Case("two schemes", [(":scheme", "https")] + Self.good),
        Case("two authorities", [(":authority", "a")] + Self.good),
        Case("no path", Self.good.filter { $0.0 != ":path" }),
        Case("no method", Self.good.filter { $0.0 != ":method" }),
        Case("no scheme", Self.good.filter { $0.0 != ":scheme" }),
        Case("an empty path", Self.good.map { $0.0 == ":path" ? (":path", "") : $0 }),
        Case("a method with a line end", Self.good.map { $0.0 == ":method" ? (":method", "GET\r\n") : $0 }),
    ]

    @Test(arguments: [nil, "h2"]) func `a head that HTTP/2 forbids resets its stream, the connection goes on`(
        secure: String?
    ) async throws {
        let observer = KeepingObserver()
        try await withServer(tls: secure != nil, observer: observer) { server in
            for test in Self.cases {
                let client = try await server.connect(secure: secure)
                try await client.send(
                    RawHTTP2.preface + RawHTTP2.frame(RawHTTP2.settings) + RawHTTP2.request(test.fields, stream: 1)
                        + RawHTTP2.get("/echo/good", stream: 3))
                let good = try await client.receiveFrame { $0.type == RawHTTP2.data && $0.stream == 3 }
                #expect(String(decoding: good.payload, as: UTF8.self).hasPrefix("/echo/good\n"), "\(test.name)")
                let bad = client.frames().filter { $0.stream == 1 }
                #expect(bad.map(\.type) == [RawHTTP2.reset], "\(test.name)")
                #expect(bad.first?.payload == [0, 0, 0, 1], "\(test.name)")
            }
            #expect(observer.seen.withLock { $0.filter { $0.hasPrefix("/echo/bad") } } == [])
        }
    }

    // What a value may not hold, one request further would be a field or a request of its own.
    @Test(arguments: [nil, "h2"]) func `a value with a line end or NUL never arrives`(secure: String?) async throws {
        try await withServer(tls: secure != nil) { server in
            for value in ["a\r\nx: y", "a\nb", "a\0b", "a\rb"] {
                let client = try await server.connect(secure: secure)
                try await client.send(
                    RawHTTP2.preface + RawHTTP2.frame(RawHTTP2.settings)
                        + RawHTTP2.request(Self.good + [("if-none-match", value)], stream: 1)
                        + RawHTTP2.get("/echo/good", stream: 3))
                _ = try await client.receiveFrame { $0.type == RawHTTP2.data && $0.stream == 3 }
                let text = client.frames().filter { $0.stream == 1 && $0.type == RawHTTP2.data }.flatMap(\.payload)
                #expect(text.isEmpty || String(decoding: text, as: UTF8.self) == "/echo/bad\n-\n-\n-")
            }
        }
    }

    @Test(arguments: [nil, "h2"]) func `te with trailers, as libcurl's relatives send it, is answered`(secure: String?)
        async throws
    {
        try await withServer(tls: secure != nil) { server in
            let client = try await server.connect(secure: secure)
            try await client.send(
                RawHTTP2.preface + RawHTTP2.frame(RawHTTP2.settings)
                    + RawHTTP2.request(Self.good + [("te", "trailers")], stream: 1))
            let answer = try await client.receiveFrame { $0.type == RawHTTP2.data && $0.stream == 1 }
            #expect(String(decoding: answer.payload, as: UTF8.self).hasPrefix("/echo/bad\n"))
        }
    }

    @Test(arguments: [nil, "h2"]) func `a body of another length than announced is never a request`(secure: String?)
        async throws
    {
        let observer = KeepingObserver()
        try await withServer(tls: secure != nil, observer: observer) { server in
            let client = try await server.connect(secure: secure)
            let smuggled = Array("GET /echo/smuggled HTTP/1.1\r\nhost: a\r\n\r\n".utf8)
            try await client.send(
                RawHTTP2.preface + RawHTTP2.frame(RawHTTP2.settings)
                    + RawHTTP2.request(Self.good + [("content-length", "0")], stream: 1, flags: 4)
                    + RawHTTP2.frame(RawHTTP2.data, flags: 1, stream: 1, smuggled)
                    + RawHTTP2.request(Self.good + [("content-length", "5")], stream: 3, flags: 5)
                    + RawHTTP2.get("/echo/good", stream: 5))
            _ = try await client.receiveFrame { $0.type == RawHTTP2.data && $0.stream == 5 }
            for stream in [1, 3] {
                _ = try await client.receiveFrame { $0.type == RawHTTP2.reset && $0.stream == stream }
            }
            #expect(observer.seen.withLock { $0 }.filter { $0.hasSuffix(" 200") || $0.contains("smuggled") }.isEmpty)
        }
    }
}
