import Foundation
import TestSupport
import Testing

/// Two edges answer for one public name, as behind GeoDNS or anycast: a balancer stands for the name, and a client's next
/// connection may end at the other edge.
@Suite(.serialized)
struct OneNameTests {
    private func project(_ folder: String) throws -> String {
        let project = folder + "/project"
        try FileManager.default.createDirectory(atPath: project + "/src", withIntermediateDirectories: true)
        try """
        [package]
        name = "probe"
        version = "0.1.0"
        edition = "2021"
        [dependencies]
        bar = { version = "1", registry = "name" }

        """.write(toFile: project + "/Cargo.toml", atomically: true, encoding: .utf8)
        try "".write(toFile: project + "/src/lib.rs", atomically: true, encoding: .utf8)
        return project
    }

    /// Over a connection of its own, so that the name is asked anew.
    private func ask(_ name: TestBalancer, knowing tag: String? = nil) async throws -> HTTPAnswer {
        let known = tag.map { [("if-none-match", $0)] } ?? []
        return try await httpGet(name.url + "/main/index/3/b/bar", headers: [("connection", "close")] + known)
    }

    @Test func `a warm client moves between edges of one name, keeps its ETags and never goes back`() async throws {
        try await TestBalancer.with { name in
            try await LiveSystem.with(edgePublicURL: name.url) { system in
                let (eu, us) = (system.edges[0], system.edges[1])
                let registrar = try await Registrar(system.origin)
                try #require(
                    try await registrar.publish(MadeCrate("bar", "1.0.0"), to: system.origin.url).status == 200)
                let folder = try project(system.folder)
                let configuration = "[registries.name]\nindex = \"sparse+\(name.url)/main/index/\"\n"
                let cargo = try RealCargo(in: system.folder, configuration: configuration)
                func lock() throws -> String { try String(contentsOfFile: folder + "/Cargo.lock", encoding: .utf8) }

                name.backends = [eu.url, us.url]
                let first = try await cargo.run(["build"], in: folder)
                try #require(first.status == 0, "\(first.text)")
                let firstLock = try lock()
                #expect(firstLock.contains("source = \"sparse+\(name.url)/main/index/\""))
                let fromEU = try await ask(name)
                #expect(fromEU.header("x-served-by") == "eu")

                // The name leads to the other edge now: nothing to fetch again, the lock file does not notice.
                name.backends = [us.url, eu.url]
                let known = try await ask(name, knowing: try #require(fromEU.header("etag")))
                #expect(known.status == 304)
                #expect(known.header("x-served-by") == "us")
                let moved = try await cargo.run(["update"], in: folder)
                try #require(moved.status == 0, "\(moved.text)")
                #expect(try lock() == firstLock)

                // us misses a version that the client sees through eu, and comes back.
                await us.killNow()
                try #require(
                    try await registrar.publish(MadeCrate("bar", "1.1.0"), to: system.origin.url).status == 200)
                let updated = try await cargo.run(["update"], in: folder)
                try #require(updated.status == 0, "\(updated.text)")
                let newLock = try lock()
                #expect(newLock.contains("version = \"1.1.0\""))
                let newTag = try #require(try await ask(name).header("etag"))
                try await us.start()
                let back = try await ask(name, knowing: newTag)
                #expect(back.header("x-served-by") == "us")
                #expect(back.status == 304)
                let again = try await cargo.run(["update"], in: folder)
                try #require(again.status == 0, "\(again.text)")
                #expect(try lock() == newLock)

                // Nor does a client without anything, when one edge and the origin are gone.
                let fetched = try await RealCargo(in: system.folder, configuration: configuration)
                    .run(["fetch"], in: folder)
                try #require(fetched.status == 0, "\(fetched.text)")
                await eu.killNow()
                await system.origin.stop()
                let empty = try RealCargo(in: system.folder, configuration: configuration)
                let alone = try await empty.run(["build"], in: folder)
                #expect(alone.status == 0, "\(alone.text)")
                #expect(try lock() == newLock)
            }
        }
    }
}
