import EdgeHTTP
import Testing

/// What attacks look like; each must end the connection and leave the server as it was. I9.
struct HTTP2FloodTests {
    private func flood(
        _ bytes: [UInt8], _ change: (inout EdgeServerConfiguration) -> Void = { _ in }
    ) async throws -> [RawHTTP2.Frame] {
        var frames: [RawHTTP2.Frame] = []
        try await withServer(change) { server in
            let client = try server.connect()
            // The server may close before all is sent: that is the point.
            try? client.send(RawHTTP2.preface + RawHTTP2.frame(RawHTTP2.settings) + bytes)
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

    @Test func `rapid resets are told to calm down`() async throws {
        let bytes = (0..<1000).flatMap { index in
            RawHTTP2.get("/never", stream: 2 * index + 1)
                + RawHTTP2.frame(RawHTTP2.reset, stream: 2 * index + 1, [0, 0, 0, 8])
        }
        let frames = try await flood(bytes)
        let goaway = try #require(frames.last { $0.type == RawHTTP2.goaway })
        #expect(goaway.errorCode == RawHTTP2.enhanceYourCalm)
        #expect(goaway.lastStream < 2 * 400)
    }

    @Test(arguments: [
        RawHTTP2.frame(RawHTTP2.ping, [0, 0, 0, 0, 0, 0, 0, 0]),
        RawHTTP2.frame(RawHTTP2.settings, [0, 4, 0, 0, 255, 255]),
    ]) func `floods of control frames are told to calm down`(frame: [UInt8]) async throws {
        let frames = try await flood(Array((0..<3000).map { _ in frame }.joined())) { $0.controlFramesMax = 500 }
        #expect(frames.last { $0.type == RawHTTP2.goaway }?.errorCode == RawHTTP2.enhanceYourCalm)
    }

    @Test func `a head of endless CONTINUATION frames ends the connection`() async throws {
        let more = RawHTTP2.frame(RawHTTP2.continuation, stream: 1, [UInt8](repeating: 0x82, count: 1000))
        let start = RawHTTP2.frame(RawHTTP2.headers, stream: 1, [0x82])
        let frames = try await flood(start + (0..<2000).flatMap { _ in more })
        #expect(frames.contains { $0.type == RawHTTP2.goaway && $0.errorCode != 0 })
    }

    @Test func `bytes that are not HTTP/2 end the connection`() async throws {
        let frames = try await flood([UInt8](repeating: 0xFF, count: 1000))
        #expect(frames.contains { $0.type == RawHTTP2.goaway && $0.errorCode != 0 })
    }
}
