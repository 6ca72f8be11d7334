import Foundation
import NIOCore
import Registry
import TestSupport
import Testing

extension Conformance {
    /// C: the crate files.
    struct Download {
        /// Where cargo would fetch a version from, at each place.
        private func addresses(_ live: Live, _ name: String, _ version: String) async throws -> [(String, String)] {
            let file = try await live.index(name)[0].text
            let line = try #require(
                file.split(separator: "\n").first { $0.contains("\"vers\":\"\(version)\"") }.map(String.init))
            let checksum = try #require(line.firstMatch(of: #/"cksum":"([0-9a-f]{64})"/#)?.output.1)
            let prefix = try CrateName(name).indexPath.description.split(separator: "/").dropLast().joined(
                separator: "/")
            return try await live.read("/main/index/config.json").map { config in
                let template = try #require(config.text.firstMatch(of: #/"dl":"([^"]+)"/#)?.output.1)
                let markers = [
                    ("{crate}", name), ("{version}", version), ("{sha256-checksum}", String(checksum)),
                    ("{prefix}", prefix), ("{lowerprefix}", prefix.lowercased()),
                ]
                return (config.place, markers.reduce(String(template)) { $0.replacing($1.0, with: $1.1) })
            }
        }

        private func download(
            _ live: Live, _ name: String, _ version: String, _ headers: [(String, String)] = [], method: String = "GET"
        ) async throws -> [Said] {
            var said: [Said] = []
            for (place, url) in try await addresses(live, name, version) {
                said.append(Said(place: place, answer: try await httpCall(method, url, headers: headers)))
            }
            return said
        }

        @Test(arguments: [("c1-crate", "1.0.0"), ("C2-Mixed_Case", "1.0.0"), ("c2-plus", "1.0.0-rc.1+build.5")])
        func `C1 C2 the address of config json gives the bytes`(name: String, version: String) async throws {
            let live = try Live.here
            let crate = MadeCrate(name, version)
            try await live.have(crate)
            let bytes = try crate.crate()
            // The second time an edge has them on its disk.
            for _ in 1...2 {
                for said in try await download(live, name, version) {
                    #expect(said.status == 200, said.all)
                    #expect(Array(said.answer.body.readableBytesView) == bytes, said.all)
                    #expect(said["content-type"] == "application/gzip", said.all)
                    #expect(said["cache-control"]?.contains("immutable") == true, said.all)
                    #expect(said["content-encoding"] == nil, said.all)
                }
            }
        }

        @Test func `C1 a plus sign is a plus sign, encoded or not`() async throws {
            let live = try Live.here
            try await live.have(MadeCrate("c1-plus", "1.0.0+a"))
            for (place, url) in try await addresses(live, "c1-plus", "1.0.0+a") {
                for spelled in [url, url.replacing("+", with: "%2B")] {
                    let said = Said(place: place, answer: try await httpGet(spelled))
                    #expect(said.status == 200, said.all)
                }
            }
        }

        @Test func `C1 an old address of a download goes on working`() async throws {
            let live = try Live.here
            try await live.have(MadeCrate("c1-old", "1.0.0"))
            let answer = try await httpGet(live.origin + "/main/dl/c1-old/1.0.0/download")
            #expect(answer.status == 200)
            #expect(Array(answer.body.readableBytesView) == (try MadeCrate("c1-old", "1.0.0").crate()))
        }

        @Test func `C4 an unknown version, name or checksum is a short 404`() async throws {
            let live = try Live.here
            try await live.have(MadeCrate("c4-crate", "1.0.0"), MadeCrate("c4-other", "1.0.0"))
            let hash = try #require(try await addresses(live, "c4-crate", "1.0.0")[0].1.split(separator: "/").last)
            let zeros = String(repeating: "0", count: 64) + ".crate"
            for path in [
                "c4-crate/1.0.1/\(hash)", "c4-other/1.0.0/\(hash)", "c4-crate/1.0.0/\(zeros)", "c4_crate/1.0.0/\(hash)",
                "c4-crate/1.0.0/\(hash.uppercased())", "c4-crate/1.0.0/x.crate", "c4-none/1.0.0/\(hash)",
            ] {
                for said in try await live.read("/main/crates/\(path)") {
                    #expect(said.status == 404, "\(path) \(said.all)")
                    #expect(said.text.count <= 500 && said["etag"] == nil, said.all)
                    #expect(said["content-type"]?.hasPrefix("text/plain") == true, said.all)
                    #expect(said["cache-control"] == "no-store", said.all)
                }
            }
        }

        @Test func `C4 cargo shows our sentence when a locked file is gone`() async throws {
            let live = try Live.here
            try await live.have(MadeCrate("c4-cargo", "1.0.0"))
            for place in live.places {
                // Another registry's index with a version that this one lacks, as after a restore from an old backup.
                let index = "\(live.system.folder)/c4-\(place.name)"
                let file = try #require(try await live.index("c4-cargo").first).text
                    .replacing("1.0.0", with: "1.0.1")
                try FileManager.default.createDirectory(
                    atPath: index + "/c4/-c", withIntermediateDirectories: true)
                try file.write(toFile: index + "/c4/-c/c4-cargo", atomically: true, encoding: .utf8)
                let config = try await httpGet(place.url + "/main/index/config.json").text
                try config.write(toFile: index + "/config.json", atomically: true, encoding: .utf8)
                try await git(in: index)
                let cargo = try CargoRun(
                    live, at: place.url, more: "[registries.backup]\nindex = \"file://\(index)\"")
                let project = try cargo.project(
                    "app", dependencies: #"c4-cargo = { version = "=1.0.1", registry = "backup" }"#)
                let said = try await cargo(["fetch"], in: project)
                #expect(said.status == 101, "\(said.text)")
                #expect(said.errors.contains("got 404"), "\(said.text)")
                let words =
                    place.name == "origin" ? "has no crate `c4-cargo` 1.0.1" : "no such version with that checksum"
                #expect(flat(said.errors).contains(words), "\(said.text)")
            }
        }

        private func git(in folder: String) async throws {
            for arguments in [
                ["init", "-q"], ["add", "."],
                ["-c", "user.name=t", "-c", "user.email=t@t.example", "commit", "-q", "-m", "index"],
            ] {
                let said = try await runTool("git", arguments, in: folder)
                try #require(said.status == 0, "\(said.text)")
            }
        }

        @Test func `C13 a crate is never labelled as encoded`() async throws {
            let live = try Live.here
            try await live.have(MadeCrate("c13-crate", "1.0.0").file("src/a.rs", String(repeating: " ", count: 9999)))
            for said in try await download(live, "c13-crate", "1.0.0", [("accept-encoding", "gzip, br, zstd")]) {
                #expect(said.status == 200 && said["content-encoding"] == nil, said.all)
            }
        }

        @Test func `C14 a range is asked for before it is given`() async throws {
            let live = try Live.here
            let crate = MadeCrate("c14-crate", "1.0.0")
            try await live.have(crate)
            let bytes = try crate.crate()
            for said in try await download(live, "c14-crate", "1.0.0", [("range", "bytes=0-9")]) {
                let expected = said.status == 206 ? Array(bytes.prefix(10)) : bytes
                #expect([200, 206].contains(said.status), said.all)
                #expect(Array(said.answer.body.readableBytesView) == expected, said.all)
            }
        }

        @Test func `C17 34 downloads at once over one connection`() async throws {
            let live = try Live.here
            var files: [String: [(String, String)]] = [:]
            for number in 1...34 {
                try await live.have(MadeCrate("c17-crate-\(number)", "1.0.0"))
                for (place, url) in try await addresses(live, "c17-crate-\(number)", "1.0.0") {
                    files[place, default: []].append(("\(number)", url))
                }
            }
            for (place, urls) in files {
                let configuration = "\(live.system.folder)/c17-\(place)"
                let lines = urls.map { "url = \"\($0.1)\"\noutput = \"/dev/null\"\n" }.joined()
                try lines.write(toFile: configuration, atomically: true, encoding: .utf8)
                // By upgrade, as cargo does.
                let protocolFlag = place == "origin" ? "--http1.1" : "--http2"
                let curl = try await runTool(
                    "curl",
                    [
                        "-s", "--parallel", "--parallel-max", "100", protocolFlag, "-K", configuration, "-w",
                        "%{http_code} %{num_connects}\n",
                    ])
                let answers = curl.output.split(separator: "\n")
                #expect(answers.count == 34 && answers.allSatisfy { $0.hasPrefix("200 ") }, "\(place) \(curl.text)")
                if place != "origin" {
                    #expect(answers.filter { $0 == "200 1" }.count == 1, "one connection: \(place) \(curl.output)")
                }
            }
        }
    }
}
