import Foundation
import TestSupport
import Testing

extension Conformance {
    /// E: publishing, its framing and limits.
    struct Publish {
        private func length(_ count: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) } }

        @Test func `E1 a new crate is published, and cargo sees it at once`() async throws {
            let live = try Live.here
            let said = try await live.publish(MadeCrate("e1-crate", "1.0.0"))
            #expect(said.status == 200 && said["content-type"] == "application/json", said.all)
            let object = try JSONSerialization.jsonObject(with: Data(said.text.utf8)) as? [String: Any]
            #expect(object?["warnings"] is [String: Any], said.all)
            for place in live.places {
                let cargo = try CargoRun(live, at: place.url, as: live.ann)
                let project = try cargo.project("e1-cargo-\(place.name)")
                let told = try await cargo(CargoRun.publish, in: project)
                #expect(told.status == 0, "\(told.text)")
                #expect(told.errors.contains("Published e1-cargo-\(place.name) v0.1.0 at registry"), "\(told.text)")
            }
        }

        @Test(
            arguments: [
                ("E2", [], "invalid metadata length"),
                ("E2", [1, 0, 0], "invalid metadata length"),
                ("E4", [100, 0, 0, 0, 123, 125], "invalid metadata length for remaining payload: 100"),
            ] as [(String, [UInt8], String)])
        func `E2 E4 a length of the metadata that lies is refused`(
            number: String, body: [UInt8], words: String
        ) async throws {
            expectRefused(try await Live.here.publish(body: body), 400, words)
        }

        @Test func `E5 metadata of 4 GiB is refused`() async throws {
            let said = try await Live.here.publish(body: length(.max) + [UInt8](repeating: 32, count: 100))
            #expect(said.status == 413, said.all)
            #expect(details(said)?.count == 1, said.all)
        }

        @Test func `E7 E8 a length of the archive that lies is refused`() async throws {
            let live = try Live.here
            let crate = MadeCrate("e7-crate", "1.0.0")
            let (metadata, bytes) = (crate.metadata, try crate.crate())
            let head = length(UInt32(metadata.utf8.count)) + Array(metadata.utf8)
            expectRefused(try await live.publish(body: head), 400, "tarball length")
            expectRefused(try await live.publish(body: head + [1, 2]), 400, "tarball length")
            let longer = length(UInt32(bytes.count + 1))
            expectRefused(try await live.publish(body: head + longer + bytes), 400, "tarball length")
            let whole = head + length(UInt32(bytes.count)) + bytes
            let trailing = try await live.publish(body: whole + [0])
            #expect(trailing.status == 400 && details(trailing)?.count == 1, trailing.all)
            for said in try await live.index("e7-crate") { #expect(said.status == 404, said.all) }
        }

        @Test func `E10 a client that waits for 100 Continue gets it, or the last word at once`() async throws {
            let live = try Live.here
            let file = live.system.folder + "/e10"
            try Data(try MadeCrate("e10-crate", "1.0.0").publishBody()).write(to: URL(fileURLWithPath: file))
            let url = live.origin + "/main/api/v1/crates/new"
            let common = ["-sv", "-T", file, "-H", "Expect: 100-continue", "--expect100-timeout", "60", url]
            let fine = try await runTool("curl", ["-H", "Authorization: \(live.ann)"] + common)
            #expect(fine.errors.contains("HTTP/1.1 100 Continue"), "\(fine.text)")
            #expect(fine.errors.contains("HTTP/1.1 200 OK"), "\(fine.text)")
            let refused = try await runTool("curl", common)
            #expect(!refused.errors.contains("100 Continue"), "\(refused.text)")
            #expect(refused.errors.contains("HTTP/1.1 401"), "\(refused.text)")
        }

        @Test(arguments: [nil, "application/octet-stream", "application/json"] as [String?])
        func `E11 any content type will do`(type: String?) async throws {
            let crate = MadeCrate("e11-crate-\(type?.count ?? 0)", "1.0.0")
            let said = try await Live.here.publish(
                body: try crate.publishBody(), headers: type.map { [("content-type", $0)] } ?? [])
            #expect(said.status == 200, said.all)
        }

        @Test func `E13 who does not own the crate is refused, and cargo shows why`() async throws {
            let live = try Live.here
            try await live.have(MadeCrate("e13-crate", "1.0.0"))
            let other = try await live.token("bob", ["publish-new", "publish-update"], in: ["main"]).secret
            expectRefused(
                try await live.publish(MadeCrate("e13-crate", "1.1.0"), as: other), 403,
                "you don't seem to be an owner")
            let cargo = try CargoRun(live, at: live.origin, as: other)
            let project = try cargo.project("e13-crate", version: "1.2.0")
            let said = try await cargo(CargoRun.publish, in: project)
            #expect(said.status == 101 && said.errors.contains("(status 403 Forbidden)"), "\(said.text)")
            #expect(flat(said.errors).contains("you don't seem to be an owner"), "\(said.text)")
        }

        @Test func `E16 of two identical publishes at once exactly one is accepted`() async throws {
            let live = try Live.here
            let body = try MadeCrate("e16-crate", "1.0.0").publishBody()
            async let first = live.publish(body: body)
            async let second = live.publish(body: body)
            let said = [try await first, try await second]
            #expect(said.filter { $0.status == 200 }.count == 1, "\(said.map(\.all))")
            expectRefused(try #require(said.first { $0.status != 200 }), 400, "already uploaded")
            #expect(try await live.lines("e16-crate").count == 1)
        }

        @Test func `E17 a version that is there is refused by us, and before that by cargo`() async throws {
            let live = try Live.here
            try await live.have(MadeCrate("e17-crate", "0.1.0"))
            expectRefused(try await live.publish(MadeCrate("e17-crate", "0.1.0")), 400, "already uploaded")
            let cargo = try CargoRun(live, at: live.system.edges[0].url, as: live.ann)
            let project = try cargo.project("e17-crate")
            let said = try await cargo(CargoRun.publish, in: project)
            #expect(said.status == 101 && said.errors.contains("e17-crate@0.1.0 already exists"), "\(said.text)")
            // cargo does not count a yanked version, so this time it is our sentence that it prints.
            let yank = try await live.api("DELETE", "crates/e17-crate/0.1.0/yank", as: live.ann)
            #expect(yank.status == 200, yank.all)
            let again = try await cargo(CargoRun.publish, in: project)
            #expect(again.status == 101 && flat(again.errors).contains("already uploaded"), "\(again.text)")
        }

        @Test func `E19 warnings come as lists, never null`() async throws {
            let said = try await Live.here.publish(MadeCrate("e19-crate", "1.0.0"))
            let object = try JSONSerialization.jsonObject(with: Data(said.text.utf8)) as? [String: Any]
            let warnings = try #require(object?["warnings"] as? [String: Any], said.all)
            for key in ["other", "invalid_categories", "invalid_badges"] {
                #expect(warnings[key] is [String], "\(key) \(said.all)")
            }
        }

        @Test(arguments: ["/api/v1/crates/new/", "//api/v1/crates/new", "/api/v1/crates/new", "/API/v1/crates/new"])
        func `E20 an upload is never redirected`(path: String) async throws {
            let live = try Live.here
            let curl = try await runTool(
                "curl",
                ["-s", "--path-as-is", "-X", "PUT", "-d", "", "-w", "%{http_code}", "\(live.origin)/main\(path)"])
            #expect(["401", "404", "405"].contains(curl.output.suffix(3)), "\(curl.text)")
        }
    }
}
