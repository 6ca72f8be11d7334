import EdgeHTTP
import Testing

/// What attacks look like; each must end the connection and leave the server as it was. I9.
struct HTTP2FloodTests {
    private func flood(
        _ bytes: [UInt8], secure: String?, _ change: (inout EdgeServerConfiguration) -> Void = { _ in }
    ) async throws -> [RawHTTP2.Frame] {
        var frames: [RawHTTP2.Frame] = []
        try await withServer(tls: secure != nil, change) { server in
            let client = try await server.connect(secure: secure)
            // The server may close before all is sent: that is the point.
            try? await client.send(RawHTTP2.preface + RawHTTP2.frame(RawHTTP2.settings) + bytes)
            while (try? await client.receive()) == true {}
            frames = client.frames()
            try await eventually("nothing stays open") {
                server.server.figures.requestsOpen == 0 && server.server.figures.connectionsOpen == 0
            }
            let next = try server.connect()
            try next.send("GET /echo HTTP/1.0\r\n\r\n")
            #expect(HTTP1Answers(try await next.receiveAll()).all.map(\.status) == [200])
        }
        return frames
    }

    private static let ways: [String?] = [nil, "h2"]

    @Test(arguments: ways) func `rapid resets are told to calm down`(secure: String?) async throws {
        let bytes = (0..<1000).flatMap { index in
            RawHTTP2.get("/never", stream: 2 * index + 1)
                + RawHTTP2.frame(RawHTTP2.reset, stream: 2 * index + 1, [0, 0, 0, 8])
        }
        let frames = try await flood(bytes, secure: secure)
        let goaway = try #require(frames.last { $0.type == RawHTTP2.goaway })
        #expect(goaway.errorCode == RawHTTP2.enhanceYourCalm)
        #expect(goaway.lastStream < 2 * 400)
    }

    @Test(
        arguments: [
            RawHTTP2.frame(RawHTTP2.ping, [0, 0, 0, 0, 0, 0, 0, 0]),
            RawHTTP2.frame(RawHTTP2.settings, [0, 4, 0, 0, 255, 255]),
        ], ways)
    func `floods of control frames are told to calm down`(frame: [UInt8], secure: String?) async throws {
        let frames = try await flood(Array((0..<3000).map { _ in frame }.joined()), secure: secure) {
            $0.controlFramesMax = 500
        }
        #expect(frames.last { $0.type == RawHTTP2.goaway }?.errorCode == RawHTTP2.enhanceYourCalm)
    }

    @Test(arguments: [1000, 1, 0], ways) func `a head of endless CONTINUATION frames ends the connection`(
        size: Int, secure: String?
    ) async throws {
        let more = RawHTTP2.frame(RawHTTP2.continuation, stream: 1, [UInt8](repeating: 0x82, count: size))
        let start = RawHTTP2.frame(RawHTTP2.headers, stream: 1, [0x82])
        let frames = try await flood(start + (0..<2000).flatMap { _ in more }, secure: secure)
        #expect(frames.contains { $0.type == RawHTTP2.goaway && $0.errorCode != 0 })
    }

    // The server is made to reset the streams itself; their requests must not pile up all the same.
    @Test(
        arguments: [
            { RawHTTP2.frame(RawHTTP2.data, stream: $0, [0]) },
            { RawHTTP2.frame(RawHTTP2.windowUpdate, stream: $0, [0, 0, 0, 0]) },
        ] as [@Sendable (Int) -> [UInt8]], ways)
    func `frames that a stream may not carry end the connection`(
        provoke: @Sendable (Int) -> [UInt8], secure: String?
    ) async throws {
        let bytes = (0..<2000).flatMap { RawHTTP2.get("/never", stream: 2 * $0 + 1) + provoke(2 * $0 + 1) }
        let frames = try await flood(bytes, secure: secure)
        let goaway = try #require(frames.last { $0.type == RawHTTP2.goaway })
        #expect(goaway.errorCode != 0)
        #expect(goaway.lastStream < 2 * 1000)
    }

    // A window that opens by too much is an error of the stream alone.
    @Test(arguments: ways) func `resets that a client provokes are told to calm down`(secure: String?) async throws {
        let bytes = (0..<2000).flatMap {
            RawHTTP2.get("/never", stream: 2 * $0 + 1)
                + RawHTTP2.frame(RawHTTP2.windowUpdate, stream: 2 * $0 + 1, [127, 255, 255, 255])
        }
        let frames = try await flood(bytes, secure: secure)
        let goaway = try #require(frames.last { $0.type == RawHTTP2.goaway })
        #expect(goaway.errorCode == RawHTTP2.enhanceYourCalm)
        #expect(goaway.lastStream < 2 * 400)
    }

    // One field of 4,000 bytes goes into the table once; 60 KiB of references would be 240 MB of fields.
    @Test(arguments: ways) func `a small head that unpacks to a large one ends the connection`(secure: String?)
        async throws
    {
        let good = RawHTTP2.block([
            (":method", "GET"), (":scheme", "http"), (":path", "/echo"), (":authority", "a"),
        ])
        // A literal that the table remembers, value length 4000 as 127 + 3873; then its index, over and over.
        let large = [0x40, 1, 0x78, 0x7F, 0xA1, 0x1E] + [UInt8](repeating: 0x61, count: 4000)
        let block = good + large + [UInt8](repeating: 0xBE, count: 10_000)
        let frames = try await flood(
            RawHTTP2.frame(RawHTTP2.headers, flags: 5, stream: 1, block) + RawHTTP2.get("/echo", stream: 3),
            secure: secure)
        #expect(frames.last { $0.type == RawHTTP2.goaway }?.errorCode == RawHTTP2.enhanceYourCalm)
        #expect(!frames.contains { $0.type == RawHTTP2.data })
    }

    @Test(arguments: ways) func `bytes that are not HTTP/2 end the connection`(secure: String?) async throws {
        let frames = try await flood([UInt8](repeating: 0xFF, count: 1000), secure: secure)
        #expect(frames.contains { $0.type == RawHTTP2.goaway && $0.errorCode != 0 })
    }
}
