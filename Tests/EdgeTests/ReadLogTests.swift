import Foundation
import NIOCore
import Registry
import Signing
import TestSupport
import Testing

@testable import Edge

/// From an answer that left the edge to the origin's count: exactly the whole ones, each once.
struct ReadLogTests {
    private struct Scene {
        let origin: ScriptedOrigin
        let download: MadeDownload
        let token: SecretToken
    }

    private func scene(_ body: (Scene, String) async throws -> Void) async throws {
        try await withTemporaryFolder("reads") { folder in
            let origin = try await ScriptedOrigin.withFoo()
            // Larger than what is kept back of a file until it is noted.
            let download = try MadeDownload("foo", "1.0.0", bytes: 200_000)
            let token = SecretToken(kind: .token)
            origin.change { script in
                script.repositories.append(ScriptedOrigin.entry("secret", isPrivate: true))
                script.indexFiles["secret/3/f/foo"] = script.indexFiles["main/3/f/foo"]
                script.tokens["\(token.hash)"] = Introspection(
                    subject: "7", grants: [Grant(actions: [.read], repositories: nil, crates: [.everything])],
                    expires: nil)
                for repository in ["main", "secret"] {
                    script.crates["\(repository)/\(download.file)"] = download.bytes
                }
            }
            try await body(Scene(origin: origin, download: download, token: token), folder)
            try await origin.stop()
        }
    }

    private func indexReads(_ origin: ScriptedOrigin, _ repository: String = "main") -> Int {
        origin.batches.flatMap(\.reads).filter { $0.repository == repository }.reduce(0) { $0 + $1.count }
    }

    @Test func `whole reads count, and nothing else`() async throws {
        try await scene { scene, folder in
            try await RunningEdge.run(scene.origin, in: folder) { edge in
                let path = scene.download.path()
                for _ in 0..<3 { #expect(try await edge.get(path).status == 200) }
                #expect(try await edge.get(path, method: "HEAD").status == 200)
                #expect(try await edge.get(try MadeDownload("foo", "9.9.9").path()).status == 404)
                let page = try await edge.get("/main/index/3/f/foo")
                let tag = try #require(page.headers["etag"])
                #expect(try await edge.get("/main/index/3/f/foo", headers: [("if-none-match", tag)]).status == 304)
                #expect(try await edge.get("/main/index/3/b/bar").status == 404)
                #expect(try await edge.get("/main/index/3/f/foo", method: "HEAD").status == 200)
                #expect(try await edge.get("/main/index/config.json").status == 200)
                // The subject is the token's id, never its secret; the path's token is as good as the header's.
                let secret = scene.token.text
                #expect(try await edge.get("/secret/index/3/f/foo", as: secret).status == 200)
                #expect(try await edge.get(scene.download.path(in: "secret"), as: secret).status == 200)
                #expect(try await edge.get("/t/\(secret)" + scene.download.path(in: "secret")).status == 200)
                #expect(try await edge.get(scene.download.path(in: "secret")).status == 401)
                try await edge.until("all told") {
                    scene.origin.pulls.count >= 5 && indexReads(scene.origin, "secret") >= 1
                }
            }
            // Stopped in order: what was still to be told has been told.
            let pulls = scene.origin.pulls
            #expect(pulls.map(\.repository) == ["main", "main", "main", "secret", "secret"])
            #expect(pulls.map(\.subject) == [nil, nil, nil, "7", "7"])
            #expect(pulls.map(\.cache) == ["MISS", "HIT", "HIT", "MISS", "HIT"])
            #expect(pulls.allSatisfy { $0.bytes == 200_000 && $0.crate == "foo" && $0.version == "1.0.0" })
            #expect(pulls.allSatisfy { $0.address == "127.0.0.1" })
            #expect(indexReads(scene.origin) == 2 && indexReads(scene.origin, "secret") == 1)
        }
    }

    @Test func `a batch whose answer was lost is sent again as it was`() async throws {
        try await scene { scene, folder in
            scene.origin.change { $0.batchAnswersToLose = 3 }
            try await RunningEdge.run(scene.origin, in: folder) { edge in
                for number in 0..<60 {
                    #expect(try await edge.get(scene.download.path()).status == 200)
                    if number % 20 == 0 { try await Task.sleep(for: .milliseconds(600)) }
                }
                try await edge.until("all told, and the answers heard") {
                    scene.origin.pulls.count >= 60
                        && scene.origin.count(of: EdgeWire.accessPath) >= scene.origin.batches.count + 3
                }
            }
            #expect(scene.origin.pulls.count == 60)
            #expect(!scene.origin.hasContradiction)
        }
    }

    @Test func `a batch that the origin refuses for good is given up, those behind it arrive`() async throws {
        try await scene { scene, folder in
            scene.origin.change { $0.batchesToRefuse = 3 }
            let errors = LoggedErrors()
            try await RunningEdge.run(scene.origin, in: folder, errors: errors) { edge in
                #expect(try await edge.get(scene.download.path()).status == 200)
                try await edge.until("the batch is on its way") { scene.origin.count(of: EdgeWire.accessPath) >= 1 }
                for _ in 0..<2 { #expect(try await edge.get(scene.download.path()).status == 200) }
                try await edge.until("the others are told") { scene.origin.pulls.count >= 2 }
            }
            let lost = errors.all.filter { $0.contains("a part of the access log is lost") }
            #expect(lost.count == 1 && lost[0].contains("no such batch can be") && lost[0].contains("reads=1"))
            #expect(scene.origin.pulls.count == 2 && scene.origin.batches.map(\.number) == [2])
        }
    }

    @Test(arguments: [(400, "bad request\n"), (413, "<html>413</html>"), (503, #"{"errors":[{"detail":"later"}]}"#)])
    func `a batch that another than the origin refuses, or only for now, is kept`(
        status: Int, body: String
    ) async throws {
        try await scene { scene, folder in
            scene.origin.change { script in
                script.batchesToRefuse = 3
                script.batchRefusal = (status, body)
            }
            try await RunningEdge.run(scene.origin, in: folder) { edge in
                #expect(try await edge.get(scene.download.path()).status == 200)
                try await edge.until("told") { scene.origin.pulls.count >= 1 }
            }
            #expect(scene.origin.batches.map(\.number) == [1] && scene.origin.pulls.count == 1)
        }
    }

    @Test func `reads of a time without an origin are told later, by the next process too`() async throws {
        try await scene { scene, folder in
            let port = scene.origin.port
            try await RunningEdge.run(scene.origin, in: folder) { edge in
                #expect(try await edge.get(scene.download.path()).status == 200)
                try await scene.origin.stop()
                for _ in 0..<10 { #expect(try await edge.get(scene.download.path()).status == 200) }
            }
            let before = scene.origin.pulls.count
            #expect(before <= 1)
            try await scene.origin.start(port: port)
            try await RunningEdge.run(scene.origin, in: folder) { edge in
                try await edge.until("all told") { scene.origin.pulls.count >= 11 }
            }
            #expect(scene.origin.pulls.count == 11)
        }
    }
}
