import EdgeHTTP
import Synchronization
import Testing

/// A body that one reader sees and another takes for the next request. Whoever writes one of these is refused, and what
/// follows on the connection is never read as a request.
struct SmugglingTests {
    struct Case: Sendable {
        let name: String
        let fields: String
        var status = 400
        /// Before the smuggled request.
        var body = ""
        var version = "HTTP/1.1"
    }

    private static let smuggled = "GET /echo/smuggled HTTP/1.1\r\nhost: a\r\n\r\n"
    private static let upgrade =
        "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAQAAAAIAAAAA"

    private static let lengths = [
        Case(name: "two lengths", fields: "content-length: 5\r\ncontent-length: 44"),
        Case(name: "the same length twice", fields: "content-length: 44\r\ncontent-length: 44"),
        Case(name: "a length of zero and another", fields: "content-length: 0\r\nContent-Length: 44"),
        Case(name: "a list of lengths", fields: "content-length: 44, 44"),
        Case(name: "a length with a plus", fields: "content-length: +44"),
        Case(name: "a length with a minus", fields: "content-length: -0"),
        Case(name: "a hexadecimal length", fields: "content-length: 0x2c"),
        Case(name: "a length with a space", fields: "content-length: 4 4"),
        Case(name: "a length with a parameter", fields: "content-length: 0;44"),
        Case(name: "a length with an underscore", fields: "content-length: 4_4"),
        Case(name: "a length in other digits", fields: "content-length: \u{664}\u{664}"),
        Case(name: "a quoted length", fields: "content-length: \"0\""),
        Case(name: "no length", fields: "content-length:"),
        Case(name: "a length before a space and the colon", fields: "content-length : 44"),
        Case(name: "a length before a tab and the colon", fields: "content-length\t: 44"),
        Case(name: "a length after a vertical tab", fields: "\u{b}content-length: 44"),
        Case(name: "a length with NUL in its name", fields: "content-\0length: 44"),
        Case(name: "a folded length", fields: "x: y\r\n content-length: 44"),
        Case(name: "a length folded with a tab", fields: "content-length:\r\n\t44"),
        Case(name: "a length behind a bare line feed", fields: "x: y\ncontent-length: 44"),
        Case(name: "a length behind a bare carriage return", fields: "x: y\rcontent-length: 44"),
        Case(name: "a length behind NUL", fields: "x: y\0content-length: 44"),
        Case(name: "a length before an empty line of one line feed", fields: "content-length: 44\n"),
        Case(name: "a body", fields: "content-length: 44", status: 413),
        Case(name: "a length of more than 64 bits", fields: "content-length: 18446744073709551660", status: 413),
        Case(name: "an upgrade with a body", fields: upgrade + "\r\ncontent-length: 44", status: 413),
    ]

    private static let encodings = [
        Case(name: "chunked", fields: "transfer-encoding: chunked", body: "0\r\n\r\n"),
        Case(
            name: "chunked, then a length", fields: "transfer-encoding: chunked\r\ncontent-length: 5", body: "0\r\n\r\n"
        ),
        Case(
            name: "a length, then chunked", fields: "content-length: 5\r\ntransfer-encoding: chunked", body: "0\r\n\r\n"
        ),
        Case(name: "a length of zero, then chunked", fields: "content-length: 0\r\ntransfer-encoding: chunked"),
        Case(name: "chunked, identity", fields: "transfer-encoding: chunked, identity", body: "0\r\n\r\n"),
        Case(name: "identity", fields: "transfer-encoding: identity"),
        Case(name: "identity, then a length", fields: "transfer-encoding: identity\r\ncontent-length: 0"),
        Case(name: "xchunked", fields: "transfer-encoding: xchunked"),
        Case(name: "chunked twice", fields: "transfer-encoding: chunked\r\ntransfer-encoding: x", body: "0\r\n\r\n"),
        Case(name: "quoted chunked", fields: "transfer-encoding: \"chunked\""),
        Case(name: "chunked after a vertical tab", fields: "transfer-encoding: \u{b}chunked"),
        Case(name: "chunked in capitals", fields: "TRANSFER-ENCODING: CHUNKED", body: "0\r\n\r\n"),
        Case(name: "chunked before a space and the colon", fields: "transfer-encoding : chunked", body: "0\r\n\r\n"),
        Case(name: "folded chunked", fields: "transfer-encoding:\r\n chunked", body: "0\r\n\r\n"),
        Case(name: "chunked behind a bare line feed", fields: "x: y\ntransfer-encoding: chunked", body: "0\r\n\r\n"),
        Case(name: "no encoding", fields: "transfer-encoding:"),
        Case(name: "chunked of HTTP/1.0", fields: "transfer-encoding: chunked", body: "0\r\n\r\n", version: "HTTP/1.0"),
        Case(name: "an upgrade that is chunked", fields: upgrade + "\r\ntransfer-encoding: chunked", body: "0\r\n\r\n"),
    ]

    @Test(arguments: [nil, "http/1.1"]) func `what readers see differently is refused and ends the connection`(
        secure: String?
    ) async throws {
        let observer = KeepingObserver()
        try await withServer(tls: secure != nil, observer: observer) { server in
            for test in Self.lengths + Self.encodings {
                let client = try await server.connect(secure: secure)
                try await client.send(
                    "GET /echo/first \(test.version)\r\nhost: a\r\n\(test.fields)\r\n\r\n\(test.body)\(Self.smuggled)")
                let answers = HTTP1Answers(try await client.receiveAll()).all
                #expect(answers.map(\.status) == [test.status], "\(test.name)")
                #expect(answers.first?.head.contains("connection: close") == true, "\(test.name)")
            }
            #expect(server.server.figures.requestsRefused == Self.lengths.count + Self.encodings.count)
            #expect(observer.seen.withLock { $0.filter { $0.hasPrefix("/echo") } } == [])
        }
    }

    // RFC 9112, 3.2.2: the target counts. Neither host chooses what is served, so no cache in front can be told a lie.
    @Test(arguments: [nil, "http/1.1"]) func `a target with another host than the field is one request for its path`(
        secure: String?
    ) async throws {
        try await withServer(tls: secure != nil) { server in
            let client = try await server.connect(secure: secure)
            try await client.send("GET http://b.example/echo/x HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            let answers = HTTP1Answers(try await client.receiveAll()).all
            #expect(answers.map(\.status) == [200])
            #expect(answers.first?.body.hasPrefix("/echo/x\n") == true)
        }
    }

    @Test(arguments: [nil, "http/1.1"]) func `what follows a request that closes is not read`(
        secure: String?
    ) async throws {
        try await withServer(tls: secure != nil) { server in
            let client = try await server.connect(secure: secure)
            try await client.send(
                "GET /unchanged HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n"
                    + "GET /echo/second HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n" + Self.smuggled)
            let answers = HTTP1Answers(try await client.receiveAll()).all
            #expect(answers.map(\.status) == [304, 200])
            #expect(answers.last?.body.hasPrefix("/echo/second\n") == true)
        }
    }
}
