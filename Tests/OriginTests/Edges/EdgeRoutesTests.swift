import Foundation
import Registry
import Signing
import TestSupport
import Testing

@testable import Origin

struct EdgeRoutesTests {
    @Test func `an edge gets all repositories and the position of that very snapshot`() async throws {
        try await TestOrigin.with { origin in
            let edge = try await origin.edge("eu")
            try await origin.repository("main")
            try await origin.repository("secret", isPrivate: true)
            let answer = try await origin.call("GET", EdgeWire.repositoriesPath, as: .edge(edge))
            let list = try JSONDecoder().decode(RepositoryList.self, from: Data(answer.text.utf8))
            #expect(list.repositories.map(\.name) == ["main", "secret"])
            #expect(list.repositories[1].isPrivate)
            #expect(answer.header(EdgeWire.closurePartsHeader) == "32")
            #expect(list.repositories[0].api == "\(origin.url)/main")
            // One for the edge, two for the repositories.
            #expect(answer.header(EdgeWire.positionHeader) == "3")
        }
    }

    @Test func `introspection knows valid tokens by hash, and says 404 of all others`() async throws {
        try await TestOrigin.with { origin in
            let edge = try await origin.edge("eu")
            let made = try await origin.made("ann", [.read], in: ["main"], secondsToLive: 3600)
            func ask(_ hash: Checksum) async throws -> HTTPAnswer {
                try await origin.call(
                    "POST", EdgeWire.introspectPath, as: .edge(edge), json: #"{"sha256":"\#(hash)"}"#)
            }
            let known = try await ask(made.secret.hash)
            let said = try JSONDecoder().decode(Introspection.self, from: Data(known.text.utf8))
            #expect(said.subject == String(made.record.id))
            #expect(said.grants == made.record.grants)
            #expect(said.expires != nil)
            #expect(known.header(EdgeWire.positionHeader) == "1")

            let unknown = try await ask(SecretToken(kind: .token).hash)
            #expect(unknown.status == 404)
            #expect(unknown.header(EdgeWire.positionHeader) == "1")

            _ = try await origin.slices.tokens.revoke(id: made.record.id, by: .commandLine)
            let revoked = try await ask(made.secret.hash)
            #expect(revoked.status == 404)
            #expect(revoked.header(EdgeWire.positionHeader) == "2")
        }
    }

    @Test func `a revoked edge is told so, and its name stays taken`() async throws {
        try await TestOrigin.with { origin in
            let edge = try await origin.edge("eu")
            try await origin.slices.edges.revoke(name: "eu", by: .commandLine)
            let answer = try await origin.call("GET", EdgeWire.repositoriesPath, as: .edge(edge))
            #expect(answer.status == 401)
            await #expect(throws: Refusal.self) { try await origin.edge("eu") }
        }
    }
}
