import AsyncHTTPClient
import NIOCore
import Registry
import TestSupport
import Testing

/// Two origin replicas over one PostgreSQL and one folder of blobs.
@Suite(.serialized)
struct ReplicaTests {
    @Test func `I3: fifty publishes of one crate at once, through two replicas, are fifty lines`() async throws {
        try await TestDatabase.with { _, connectionString in
            try await LiveSystem.with(edges: ["eu"], replicas: 2, databaseURL: connectionString) { system in
                let registrar = try await Registrar(system.origin)
                let before = try await feedPositions(system.origin.url, credential: system.edges[0].credential)
                let answers = try await withThrowingTaskGroup(of: HTTPAnswer.self) { group in
                    for number in 1...50 {
                        group.addTask {
                            try await registrar.publish(
                                MadeCrate("keel", "1.0.\(number)"), to: system.origins[number % 2].url)
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(answers.allSatisfy { $0.status == 200 }, "\(answers.filter { $0.status != 200 }.map(\.text))")
                let files = [
                    try await httpGet(system.origins[0].url + "/main/index/ke/el/keel"),
                    try await httpGet(system.origins[1].url + "/main/index/ke/el/keel"),
                    try await system.edges[0].get("/main/index/ke/el/keel"),
                ]
                for file in files {
                    #expect(file.body == files[0].body)
                    // Each publish is one generation: 1...50 without a gap ends with 50.
                    #expect(file.header("etag")?.hasPrefix("\"g50-") == true, "\(file.headers)")
                }
                let versions = try Line.all(in: files[0]).map(\.vers)
                #expect(Set(versions) == Set((1...50).map { "1.0.\($0)" }))
                #expect(versions.count == 50)
                for origin in system.origins {
                    let positions = try await feedPositions(origin.url, credential: system.edges[0].credential)
                    #expect(positions == Array(1...UInt64(before.count + 50)))
                }
                let verified = try await system.origin.command(["verify"])
                #expect(verified.status == 0, "\(verified.text)")
            }
        }
    }

    @Test func `I10: an edge of one replica serves what another has answered 200, yanks too`() async throws {
        try await TestDatabase.with { _, connectionString in
            try await LiveSystem.with(edges: ["eu"], replicas: 2, databaseURL: connectionString) { system in
                let registrar = try await Registrar(system.origin)
                let (first, second, edge) = (system.origins[0], system.origins[1], system.edges[0])
                for number in 1...10 {
                    // The edge holds the file, or its absence, from before the change.
                    _ = try await edge.get("/main/index/ma/st/mast")
                    let answer = try await registrar.publish(MadeCrate("mast", "1.0.\(number)"), to: second.url)
                    try #require(answer.status == 200, "\(answer.text)")
                    let file = try await edge.get("/main/index/ma/st/mast")
                    try #require(file.status == 200, "after publish \(number): \(file.text)")
                    #expect(try Line.all(in: file).count == number)
                }
                let yank = try await httpCall(
                    "DELETE", second.url + "/main/api/v1/crates/mast/1.0.3/yank",
                    headers: [("authorization", registrar.token)])
                try #require(yank.status == 200, "\(yank.text)")
                for url in [first.url, edge.url] {
                    let lines = try Line.all(in: try await httpGet(url + "/main/index/ma/st/mast"))
                    #expect(lines.filter(\.yanked).map(\.vers) == ["1.0.3"])
                }
            }
        }
    }

    @Test func `a replica that is killed takes nothing with it; its edges go on with the other`() async throws {
        try await TestBalancer.with { balancer in
            try await TestDatabase.with { _, connectionString in
                try await LiveSystem.with(replicas: 2, databaseURL: connectionString, balancer: balancer) { system in
                    let registrar = try await Registrar(system.origin)
                    let second = system.origins[1]
                    var answer = try await registrar.publish(MadeCrate("mast", "1.0.0"), to: balancer.url)
                    try #require(answer.status == 200, "\(answer.text)")
                    for edge in system.edges { _ = try await edge.get("/main/index/ma/st/mast") }

                    await system.origin.killNow()
                    answer = try await publishAfterKill(MadeCrate("mast", "1.0.1"), registrar, to: balancer.url)
                    try #require(answer.status == 200, "\(answer.text)")
                    for edge in system.edges {
                        try await awaitHead(of: second, on: edge, versions: 2)
                    }
                    // Connected again, they are waited for again.
                    answer = try await registrar.publish(MadeCrate("mast", "1.0.2"), to: balancer.url)
                    try #require(answer.status == 200, "\(answer.text)")
                    let expected = try await httpGet(second.url + "/main/index/ma/st/mast")
                    #expect(try Line.all(in: expected).map(\.vers) == ["1.0.0", "1.0.1", "1.0.2"])
                    for edge in system.edges {
                        #expect(try await edge.get("/main/index/ma/st/mast").body == expected.body, "\(edge.name)")
                    }

                    try await system.origin.start()
                    let other = try await httpGet(system.origin.url + "/main/index/ma/st/mast")
                    #expect(other.body == expected.body)
                }
            }
        }
    }

    /// Connections kept from before the kill end under their next request; who got no answer publishes again.
    private func publishAfterKill(
        _ crate: MadeCrate, _ registrar: Registrar, to url: String
    ) async throws -> HTTPAnswer {
        for _ in 0..<20 {
            do {
                return try await registrar.publish(crate, to: url)
            } catch  where error is HTTPClientError || error is ChannelError || error is IOError {
                // Whichever layer noticed it, the connection is gone.
                continue
            }
        }
        return try await registrar.publish(crate, to: url)
    }

    /// Waits until the edge has followed the feed to its new connection; half a minute at most.
    private func awaitHead(of origin: LiveOrigin, on edge: LiveEdge, versions: Int) async throws {
        for _ in 0..<300 {
            let file = try await edge.get("/main/index/ma/st/mast")
            #expect(file.status == 200, "\(file.text)")
            if file.header("x-cache") != "STALE", try Line.all(in: file).count == versions { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        Issue.record("edge \(edge.name) does not serve what the replica that is left published")
    }
}
