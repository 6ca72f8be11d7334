import EdgeHTTP
import Testing

struct HTTP1RefusalTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        let bytes: String
        let status: Int

        init(_ name: String, _ bytes: String, _ status: Int = 400) {
            self.name = name
            self.bytes = bytes
            self.status = status
        }

        var testDescription: String { name }
    }

    static let cases = [
        Case("no version", "GET /text\r\n\r\n"),
        Case("two spaces", "GET  /text HTTP/1.1\r\nhost: a\r\n\r\n"),
        Case("space in the target", "GET /te xt HTTP/1.1\r\nhost: a\r\n\r\n"),
        Case("tab in the target", "GET /te\txt HTTP/1.1\r\nhost: a\r\n\r\n"),
        Case("NUL in the target", "GET /te\0xt HTTP/1.1\r\nhost: a\r\n\r\n"),
        Case("fragment", "GET /text#a HTTP/1.1\r\nhost: a\r\n\r\n"),
        Case("target without a slash", "GET text HTTP/1.1\r\nhost: a\r\n\r\n"),
        Case("another scheme", "GET ftp://a/text HTTP/1.1\r\nhost: a\r\n\r\n"),
        Case("authority with user", "GET http://u@a/text HTTP/1.1\r\nhost: a\r\n\r\n"),
        Case("asterisk with GET", "GET * HTTP/1.1\r\nhost: a\r\n\r\n"),
        Case("CONNECT", "CONNECT a:443 HTTP/1.1\r\nhost: a\r\n\r\n"),
        Case("method with a bracket", "G(T /text HTTP/1.1\r\nhost: a\r\n\r\n"),
        Case("leading space", " GET /text HTTP/1.1\r\nhost: a\r\n\r\n"),
        Case("two empty lines first", "\r\n\r\nGET /text HTTP/1.1\r\nhost: a\r\n\r\n"),
        Case("version 2.0", "GET /text HTTP/2.0\r\nhost: a\r\n\r\n"),
        Case("version 1.2", "GET /text HTTP/1.2\r\nhost: a\r\n\r\n"),
        Case("lower-case version", "GET /text http/1.1\r\nhost: a\r\n\r\n"),
        Case("bare line feed", "GET /text HTTP/1.1\nhost: a\n\n"),
        Case("bare line feed later", "GET /text HTTP/1.1\r\nhost: a\nx: y\r\n\r\n"),
        Case("bare carriage return", "GET /text HTTP/1.1\r\nhost: a\r\nx: a\rb\r\n\r\n"),
        Case("NUL in a value", "GET /text HTTP/1.1\r\nhost: a\r\nx: a\0b\r\n\r\n"),
        Case("folded field", "GET /text HTTP/1.1\r\nhost: a\r\nx: a\r\n b\r\n\r\n"),
        Case("space before the colon", "GET /text HTTP/1.1\r\nhost: a\r\nx : a\r\n\r\n"),
        Case("no colon", "GET /text HTTP/1.1\r\nhost: a\r\nxyz\r\n\r\n"),
        Case("empty name", "GET /text HTTP/1.1\r\nhost: a\r\n: a\r\n\r\n"),
        Case("no host", "GET /text HTTP/1.1\r\nx: a\r\n\r\n"),
        Case("two hosts", "GET /text HTTP/1.1\r\nhost: a\r\nHost: a\r\n\r\n"),
        Case("host with a path", "GET /text HTTP/1.1\r\nhost: a/b\r\n\r\n"),
        Case("two authorizations", "GET /text HTTP/1.1\r\nhost: a\r\nauthorization: a\r\nauthorization: a\r\n\r\n"),
        Case("chunked body", "GET /text HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
        Case("smuggling", "GET /text HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\ntransfer-encoding: x\r\n\r\n"),
        Case("two lengths", "GET /text HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\ncontent-length: 0\r\n\r\n"),
        Case("signed length", "GET /text HTTP/1.1\r\nhost: a\r\ncontent-length: +1\r\n\r\n"),
        Case("list of lengths", "GET /text HTTP/1.1\r\nhost: a\r\ncontent-length: 0, 0\r\n\r\n"),
        Case("empty length", "GET /text HTTP/1.1\r\nhost: a\r\ncontent-length:\r\n\r\n"),
        Case("a body", "PUT /text HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello", 413),
        Case("a huge body", "PUT /text HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999999999999999999\r\n\r\n", 413),
        Case("a long target", "GET /\(String(repeating: "a", count: 8200)) HTTP/1.1\r\nhost: a\r\n\r\n", 414),
        Case("a request line that never ends", "GET /\(String(repeating: "a", count: 9000))", 414),
        Case("65 fields", "GET / HTTP/1.1\r\n\(String(repeating: "x: y\r\n", count: 65))\r\n", 431),
        Case("a large field", "GET / HTTP/1.1\r\nx: \(String(repeating: "a", count: 16 << 10))\r\n\r\n", 431),
        Case("a field that never ends", "GET / HTTP/1.1\r\nx: \(String(repeating: "a", count: 17 << 10))", 431),
        Case("TLS on the plain port", "\u{16}\u{03}\u{01}"),
    ]

    @Test(arguments: cases) func `is refused with one sentence and the connection closes`(_ test: Case) async throws {
        try await withServer { server in
            let client = try server.connect()
            try client.send(test.bytes)
            let answers = HTTP1Answers(try await client.receiveAll()).all
            try #require(answers.count == 1)
            #expect(answers[0].status == test.status)
            #expect(answers[0].head.contains("connection: close"))
            #expect(answers[0].head.contains("content-type: text/plain"))
            #expect(answers[0].body.hasSuffix(".\n") && answers[0].body.count <= 500)
            #expect(server.server.figures.requestsRefused == 1)
        }
    }

    @Test func `a refused request is answered after the good ones before it`() async throws {
        try await withServer { server in
            let client = try server.connect()
            try client.send(
                "GET /later/50 HTTP/1.1\r\nhost: a\r\n\r\nGET /echo HTTP/1.1\r\nhost: a\r\n\r\nbroken\r\n\r\n")
            #expect(HTTP1Answers(try await client.receiveAll()).all.map(\.status) == [200, 200, 400])
        }
    }

    @Test func `the answer arrives although the client goes on sending a body`() async throws {
        try await withServer { server in
            let client = try server.connect()
            try client.send("PUT /text HTTP/1.1\r\nhost: a\r\ncontent-length: 500000\r\n\r\n")
            try client.send([UInt8](repeating: 0x61, count: 500_000))
            #expect(HTTP1Answers(try await client.receiveAll()).all.map(\.status) == [413])
        }
    }
}
