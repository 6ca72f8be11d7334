import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Postgres
import TestSupport
import Testing

@testable import Origin

struct ByteBudgetTests {
    @Test func `what is over the limit is refused until room is given back`() throws {
        let budget = ByteBudget(bytesMax: 100)
        var first: ByteBudget.Reservation? = try budget.reserve(60)
        let second = try budget.reserve(40)
        #expect(throws: Refusal.self) { try budget.reserve(1) }
        withExtendedLifetime(first) {}
        first = nil
        let third = try budget.reserve(60)
        withExtendedLifetime((second, third)) {}
    }

    @Test func `one that is larger than the whole passes alone`() throws {
        let budget = ByteBudget(bytesMax: 100)
        let large = try budget.reserve(1000)
        #expect(throws: Refusal.self) { try budget.reserve(1) }
        withExtendedLifetime(large) {}
    }

    @Test func `I9: while a slow reader holds a large index file, the next one is asked to come again`() async throws {
        try await SliceOrigin.with { origin, alice in
            _ = try await origin.publish(MadeCrate("foo", "1.0.0"), alice)
            // More than the sockets of both sides take up by themselves.
            let spaces = 32 << 20
            _ = try await origin.pool.execute("UPDATE versions SET line = line || repeat(' ', \(spaces))")
            let path = "/main/index/3/f/foo"
            let slow = try await HTTPClient.shared.execute(
                HTTPClientRequest(url: "http://127.0.0.1:\(origin.port)\(path)"), timeout: .seconds(60))
            let refused = try await origin.send("GET", path)
            #expect(refused.status == 503 && refused.headers["retry-after"] == "1", "\(refused.status)")
            // A known tag needs no body, and so no room.
            let tag = try #require(slow.headers.first(name: "etag"))
            #expect(try await origin.send("GET", path, headers: ["if-none-match": tag]).status == 304)

            let bytes = try await slow.body.collect(upTo: 2 * spaces).readableBytes
            #expect(bytes > spaces)
            let again = try await origin.send("GET", path)
            #expect(again.status == 200 && again.bytes.count == bytes)
        }
    }
}
