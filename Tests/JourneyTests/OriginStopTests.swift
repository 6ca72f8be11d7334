import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import TestSupport
import Testing

/// An origin that is told to stop while somebody publishes.
@Suite(.serialized)
struct OriginStopTests {
    @Test func `I10: a publish under way when the origin is told to stop is answered, and its edges serve it`()
        async throws
    {
        try await LiveSystem.with { system in
            let registrar = try await Registrar(system.origin)
            // The edges hold the absence.
            for edge in system.edges { #expect(try await edge.get("/main/index/ma/st/mast").status == 404) }
            let upload = try MadeCrate("mast", "1.0.0").publishBody()
            let (body, feed) = AsyncStream.makeStream(of: ByteBuffer.self)
            feed.yield(ByteBuffer(bytes: upload.prefix(100)))
            async let answer = send(body, length: upload.count, as: registrar, to: system.origin.url)
            try await Task.sleep(for: .milliseconds(300))

            system.origin.process?.send(SIGTERM)
            try await untilRefused(system.origin.url)
            feed.yield(ByteBuffer(bytes: upload.dropFirst(100)))
            feed.finish()
            let (status, text) = try await answer
            #expect(status == 200, "\(text)")
            for edge in system.edges {
                let file = try await edge.get("/main/index/ma/st/mast")
                // Heard through the feed: what it held is gone. The body may have to wait for the next start.
                let isNew = file.status == 200 && file.text.contains("\"vers\":\"1.0.0\"")
                #expect(isNew || file.status == 503, "\(edge.name): \(file.status) \(file.text)")
            }
            #expect(try await system.origin.process?.endedWell() == true)

            try await system.origin.start()
            let verified = try await system.origin.command(["verify"])
            #expect(verified.status == 0, "\(verified.text)")
            let lines = try Line.all(in: try await httpGet(system.origin.url + "/main/index/ma/st/mast"))
            #expect(lines.map(\.vers) == ["1.0.0"])
        }
    }

    private func send(
        _ body: AsyncStream<ByteBuffer>, length: Int, as registrar: Registrar, to url: String
    ) async throws -> (status: Int, text: String) {
        var request = HTTPClientRequest(url: url + "/main/api/v1/crates/new")
        request.method = .PUT
        request.headers.add(name: "authorization", value: registrar.token)
        request.body = .stream(body, length: .known(Int64(length)))
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        return (Int(response.status.code), String(buffer: try await response.body.collect(upTo: 1 << 20)))
    }

    /// Waits until nobody listens any more; half a minute at most.
    private func untilRefused(_ url: String) async throws {
        for _ in 0..<300 {
            do {
                _ = try await httpCall("GET", url + "/main/index/config.json", headers: [("connection", "close")])
            } catch {
                return
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        Issue.record("the origin went on listening")
    }
}
