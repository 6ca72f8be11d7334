import AsyncHTTPClient
import CrateFile
import Crypto
import Foundation
import NIOCore
import NIOHTTP1
import Registry
import TestSupport
import Testing

/// I9: what is large is served as what is small, and memory does not grow with it.
@Suite(.serialized)
struct ScaleTests {
    @Test func `five thousand versions, and an index file of 11 MB with 23,000 features`() async throws {
        try await LiveSystem.with(edges: ["eu"]) { system in
            let registrar = try await Registrar(system.origin)
            let source = LargeSource(folder: system.folder + "/source")
            try source.write()
            try await system.origin.command(["import", "main", source.folder, "--login", "ann"])
            let edge = system.edges[0]

            let many = try await edge.get("/main/index/ma/ny/many")
            try #require(many.status == 200, "\(many.text.prefix(500))")
            let versions = try Line.all(in: many).map(\.vers)
            #expect(Set(versions) == Set((0..<LargeSource.versions).map { "1.0.\($0)" }))
            #expect(try await httpGet(system.origin.url + "/main/index/ma/ny/many").body == many.body)
            // One more, in the ordinary way.
            let answer = try await registrar.publish(MadeCrate("many", "2.0.0"), to: system.origin.url)
            #expect(answer.status == 200, "\(answer.text)")
            let more = try await edge.get("/main/index/ma/ny/many")
            #expect(try Line.all(in: more).count == LargeSource.versions + 1)

            // The client of these tests takes nothing that gzip has made 25 times smaller, as it does here; cargo does.
            let plain = [("accept-encoding", "identity")]
            let wide = try await edge.get("/main/index/wi/de/wide", headers: plain)
            try #require(wide.status == 200, "\(wide.text.prefix(500))")
            #expect(wide.body.readableBytes > 11_000_000)
            #expect(try await httpGet(system.origin.url + "/main/index/wi/de/wide", headers: plain).body == wide.body)
            try await resolve(through: edge, in: system.folder)
        }
    }

    /// Real cargo finds a version by the features that only the large file tells of.
    private func resolve(through edge: LiveEdge, in folder: String) async throws {
        let project = folder + "/app"
        try FileManager.default.createDirectory(atPath: project + "/src", withIntermediateDirectories: true)
        try "".write(toFile: project + "/src/lib.rs", atomically: true, encoding: .utf8)
        let wanted = [LargeSource.feature(22_999), LargeSource.oddName]
        try """
        [package]
        name = "app"
        version = "0.1.0"
        edition = "2021"
        [dependencies]
        wide = { version = "1", registry = "longshore", features = ["\(wanted[0])", "\(wanted[1])"] }
        many = { version = "=1.0.4321", registry = "longshore" }

        """.write(toFile: project + "/Cargo.toml", atomically: true, encoding: .utf8)
        let cargo = try RealCargo(
            in: folder,
            configuration: """
                [registries.longshore]
                index = "\(edge.index("main"))"
                """)
        let made = try await cargo.run(["generate-lockfile"], in: project)
        try #require(made.status == 0, "\(made.text)")
        let lock = try String(contentsOfFile: project + "/Cargo.lock", encoding: .utf8)
        #expect(lock.contains("name = \"wide\"\nversion = \"1.0.0\""))
        #expect(lock.contains("name = \"many\"\nversion = \"1.0.4321\""))
    }

    @Test func `I9: a crate of 50 MB goes through origin and edge, and their memory stays flat`() async throws {
        try await LiveSystem.with(edges: ["eu"]) { system in
            let registrar = try await Registrar(system.origin)
            let edge = system.edges[0]
            var last = (checksum: "", path: "")
            var originFirst = 0
            for number in 0..<5 {
                let (body, checksum) = try Self.largeCrate(version: "1.0.\(number)")
                let answer = try await httpCall(
                    "PUT", system.origin.url + "/main/api/v1/crates/new",
                    headers: [("authorization", registrar.token)], body: body)
                try #require(answer.status == 200, "\(answer.text)")
                last = (checksum, "/main/crates/heavy/1.0.\(number)/\(checksum).crate")
                // The first download fills the edge from the origin.
                #expect(try await Self.checksum(ofDownload: edge.url + last.path) == checksum)
                if number == 0 { originFirst = try peakMemory(system.origin.process) }
            }
            let originGrowth = try peakMemory(system.origin.process) - originFirst
            let edgeFirst = try peakMemory(edge.process)
            let downloads = ProcessInfo.processInfo.environment["LONGSHORE_SCALE_DOWNLOADS"].flatMap { Int($0) } ?? 48
            for _ in 0..<downloads / 8 {
                try await withThrowingTaskGroup(of: String.self) { group in
                    for _ in 0..<8 {
                        group.addTask { [path = last.path] in
                            try await Self.checksum(ofDownload: edge.url + path)
                        }
                    }
                    for try await checksum in group { #expect(checksum == last.checksum) }
                }
            }
            let edgeGrowth = try peakMemory(edge.process) - edgeFirst
            print(
                "peak memory: origin \(originFirst >> 20) MiB + \(originGrowth >> 20), edge \(edgeFirst >> 20) MiB + \(edgeGrowth >> 20)"
            )
            // Eight downloads at once would be 400 MB if the edge held what it sends.
            #expect(edgeGrowth < 64 << 20)
            #expect(edgeFirst < 256 << 20)
            // Four more publishes and fills of 50 MB would be 200 MB if the origin kept one each.
            #expect(originGrowth < 64 << 20)
        }
    }

    /// 50 MB that gzip can't make smaller.
    private static func largeCrate(version: String) throws -> (body: ByteBuffer, checksum: String) {
        let made = MadeCrate("heavy", version)
        let random = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/dev/urandom"))
        let noise = [UInt8](try random.read(upToCount: 50_000_000) ?? Data())
        try random.close()
        let crate = try CrateWriter.crate(root: "heavy-\(version)") { writer in
            try writer.add("Cargo.toml", made.manifest)
            try writer.add("src/lib.rs", "")
            try writer.add(RawEntry(path: Array("heavy-\(version)/data.bin".utf8), body: noise))
        }
        try #require(crate.count > 50_000_000)
        let body = MadeCrate.publishBody(metadata: made.metadata, crate: crate)
        return (ByteBuffer(bytes: body), "\(Checksum(bytes: SHA256.hash(data: crate))!)")
    }

    /// Hashes an answer as it comes.
    private static func checksum(ofDownload url: String) async throws -> String {
        let response = try await HTTPClient.shared.execute(HTTPClientRequest(url: url), timeout: .seconds(120))
        try #require(response.status == .ok)
        var hash = SHA256()
        for try await chunk in response.body {
            chunk.withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
        }
        return "\(Checksum(bytes: hash.finalize())!)"
    }
}

/// A registry in a folder, as `import` takes it: `many` with 5,000 versions, `wide` with 23,000 features.
struct LargeSource {
    static let versions = 5_000
    static let features = 23_000
    /// Every kind of character that a feature's name may have.
    static let oddName = "_0.9-été+日本"

    let folder: String

    static func feature(_ number: Int) -> String {
        "feature-\(number)-" + String(repeating: "of-a-crate-with-a-great-many-of-them.", count: 3)
    }

    func write() throws {
        try FileManager.default.createDirectory(atPath: folder + "/files", withIntermediateDirectories: true)
        var lines = ""
        for number in 0..<Self.versions {
            let version = "1.0.\(number)"
            let checksum = try write(MadeCrate("many", version))
            lines += Self.line("many", version, checksum, features: "{}") + "\n"
        }
        try write(lines, to: "ma/ny", "many")

        var features = "\"\(Self.oddName)\":[]"
        for number in 0..<Self.features - 1 {
            // All lean on the first hundred, so that cargo's way through them stays short.
            let enabled =
                number < 100 ? "" : (0..<3).map { "\"\(Self.feature((number + $0) % 100))\"" }.joined(separator: ",")
            features += ",\"\(Self.feature(number))\":[\(enabled)]"
        }
        features += ",\"\(Self.feature(Self.features - 1))\":[]"
        let wide = Self.line("wide", "1.0.0", try write(MadeCrate("wide", "1.0.0")), features: "{\(features)}")
        try write(wide + "\n", to: "wi/de", "wide")
    }

    private static func line(_ name: String, _ version: String, _ checksum: String, features: String) -> String {
        """
        {"name":"\(name)","vers":"\(version)","deps":[],"cksum":"\(checksum)","features":\(features),"yanked":false}
        """
    }

    private func write(_ crate: MadeCrate) throws -> String {
        let bytes = try crate.crate()
        let path = "\(folder)/files/\(crate.name)-\(crate.version).crate"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return sha256(bytes)
    }

    private func write(_ text: String, to place: String, _ name: String) throws {
        let path = "\(folder)/index/\(place)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try text.write(toFile: "\(path)/\(name)", atomically: true, encoding: .utf8)
    }
}
