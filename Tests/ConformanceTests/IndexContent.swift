import Crypto
import Foundation
import TestSupport
import Testing

extension Conformance {
    /// A20 and B: what the lines of an index file say.
    struct IndexContent {
        @Test func `A20 a yanked version is passed over, but still used where it is locked`() async throws {
            let live = try Live.here
            try await live.have(MadeCrate("a20-crate", "1.0.0"), MadeCrate("a20-crate", "1.1.0"))
            let need = #"a20-crate = { version = "1", registry = "longshore" }"#
            for place in live.places {
                let cargo = try CargoRun(live, at: place.url)
                let project = try cargo.project("locked", dependencies: need)
                let first = try await cargo(["generate-lockfile"], in: project)
                #expect(first.status == 0, "\(first.text)")
                let yank = try await live.api("DELETE", "crates/a20-crate/1.1.0/yank", as: live.ann)
                #expect(yank.status == 200, yank.all)
                #expect(try await live.lines("a20-crate").map { $0["yanked"] as? Bool } == [false, true])

                let (said, lock) = try await CargoRun(live, at: place.url).resolve(need)
                #expect(lock.contains("version = \"1.0.0\"") && !lock.contains("version = \"1.1.0\""), "\(said.text)")
                let locked = try await cargo(["fetch", "--locked"], in: project)
                #expect(locked.status == 0 && locked.errors.contains("Downloaded a20-crate v1.1.0"), "\(locked.text)")
                let unyank = try await live.api("PUT", "crates/a20-crate/1.1.0/unyank", as: live.ann)
                #expect(unyank.status == 200, unyank.all)
            }
        }

        @Test func `B1 a minimal crate has all fields`() async throws {
            let live = try Live.here
            try await live.have(MadeCrate("b1-crate", "1.0.0"))
            let line = try #require(try await live.lines("b1-crate").first)
            #expect(line["name"] as? String == "b1-crate")
            #expect(line["vers"] as? String == "1.0.0")
            #expect((line["deps"] as? [Any])?.isEmpty == true)
            #expect((line["features"] as? [String: Any])?.isEmpty == true)
            #expect(line["yanked"] as? Bool == false)
            #expect(line.values.allSatisfy { !($0 is NSNull) }, "\(line)")
        }

        @Test func `B2 a renamed dependency has both names, and cargo follows it`() async throws {
            let live = try Live.here
            let own = "sparse+\(live.origin)/main/index/"
            try await live.have(
                MadeCrate("b2-real", "1.0.0"),
                MadeCrate("b2-crate", "1.0.0").needs("alias", "^1", registry: own, package: "b2-real"))
            let dependency = try #require((try await live.lines("b2-crate")[0]["deps"] as? [IndexObject])?.first)
            #expect(dependency["name"] as? String == "alias")
            #expect(dependency["package"] as? String == "b2-real")
            for place in live.places {
                let (said, lock) = try await CargoRun(live, at: place.url).resolve(
                    #"b2-crate = { version = "1", registry = "longshore" }"#)
                #expect(lock.contains("name = \"b2-real\""), "\(said.text)")
            }
        }

        @Test func `B4 a dependency on the same repository has no registry`() async throws {
            let live = try Live.here
            let own = "sparse+\(live.origin)/main/index/"
            try await live.have(
                MadeCrate("b4-base", "1.0.0"), MadeCrate("b4-crate", "1.0.0").needs("b4-base", "^1", registry: own))
            let dependency = try #require((try await live.lines("b4-crate")[0]["deps"] as? [IndexObject])?.first)
            #expect(dependency["registry"] == nil, "\(dependency)")
        }

        @Test func `B5 a dependency on a third registry has its whole URL, and cargo asks there`() async throws {
            let live = try Live.here
            let third = "sparse+\(live.origin)/third/index/"
            try await live.system.origin.command(["repository", "create", "third"])
            try await live.have(MadeCrate("b5-base", "1.0.0"), in: "third")
            try await live.have(MadeCrate("b5-crate", "1.0.0").needs("b5-base", "^1", registry: third))
            let dependency = try #require((try await live.lines("b5-crate")[0]["deps"] as? [IndexObject])?.first)
            #expect(dependency["registry"] as? String == third)
            for place in live.places {
                let (said, lock) = try await CargoRun(
                    live, at: place.url, more: "[registries.third]\nindex = \"\(third)\""
                ).resolve(#"b5-crate = { version = "1", registry = "longshore" }"#)
                #expect(said.errors.contains("Updating `\(third)` index"), "\(said.text)")
                #expect(lock.contains("name = \"b5-base\""), "\(said.text)")
            }
        }

        @Test func `B7 targets and kinds are told apart, and cargo asks for what it should`() async throws {
            let live = try Live.here
            let own = "sparse+\(live.origin)/main/index/"
            let crate = MadeCrate("b7-crate", "1.0.0").manifest(
                """
                [package]
                name = "b7-crate"
                version = "1.0.0"
                edition = "2021"
                [target."cfg(windows)".dependencies.b7-windows]
                version = "1"
                registry-index = "\(own)"
                [build-dependencies.b7-build]
                version = "1"
                registry-index = "\(own)"
                [dev-dependencies.b7-dev]
                version = "1"
                registry-index = "\(own)"

                """)
            try await live.have(MadeCrate("b7-windows", "1.0.0"), MadeCrate("b7-build", "1.0.0"), crate)
            let found = (try await live.lines("b7-crate")[0]["deps"] as? [IndexObject] ?? []).map { dependency in
                [dependency["name"], dependency["kind"], dependency["target"]].map { $0 as? String }
            }
            #expect(
                Set(found) == [
                    ["b7-windows", "normal", "cfg(windows)"], ["b7-build", "build", nil], ["b7-dev", "dev", nil],
                ])
            for place in live.places {
                // b7-dev is not there: whoever asked for it would fail.
                let (said, lock) = try await CargoRun(live, at: place.url).resolve(
                    #"b7-crate = { version = "1", registry = "longshore" }"#)
                #expect(lock.contains("b7-windows") && lock.contains("b7-build"), "\(said.text)")
                #expect(said.status == 0 && !lock.contains("b7-dev"), "\(said.text)")
            }
        }

        @Test func `B8 the time of publication has whole seconds`() async throws {
            let live = try Live.here
            try await live.have(MadeCrate("b8-crate", "1.0.0"))
            let time = try #require(try await live.lines("b8-crate")[0]["pubtime"] as? String)
            #expect(time.wholeMatch(of: #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/#) != nil, "\(time)")
        }

        @Test func `B10 features that are null become an empty map or a refusal`() async throws {
            let live = try Live.here
            let crate = MadeCrate("b10-crate", "1.0.0")
            let metadata = crate.metadata.replacingOccurrences(of: "\"features\":{}", with: "\"features\":null")
            #expect(metadata.contains("null,\"authors\""))
            let said = try await live.publish(body: MadeCrate.publishBody(metadata: metadata, crate: crate.crate()))
            #expect(said.status == 200, said.all)
            #expect((try await live.lines("b10-crate")[0]["features"] as? [String: Any])?.isEmpty == true)
        }

        @Test func `B13 undoing a yank brings the same bytes back`() async throws {
            let live = try Live.here
            try await live.have(MadeCrate("b13-crate", "1.0.0"))
            let before = try await live.index("b13-crate")
            _ = try await live.api("DELETE", "crates/b13-crate/1.0.0/yank", as: live.ann)
            let between = try await live.index("b13-crate")
            _ = try await live.api("PUT", "crates/b13-crate/1.0.0/unyank", as: live.ann)
            let after = try await live.index("b13-crate")
            for (place, said) in after.enumerated() {
                #expect(between[place].text != said.text, between[place].all)
                #expect(before[place].text == said.text, said.all)
                #expect(said["etag"]?.hasPrefix("\"g3-") == true, said.all)
                #expect(said["etag"]?.suffix(65) == before[place]["etag"]?.suffix(65), said.all)
            }
        }

        @Test func `B14 the checksum is the hash of the bytes that were sent`() async throws {
            let live = try Live.here
            let crate = MadeCrate("b14-crate", "1.0.0")
            try await live.have(crate)
            let hash = SHA256.hash(data: try crate.crate()).map { String(UInt16($0) | 0x100, radix: 16).dropFirst() }
            #expect(try await live.lines("b14-crate")[0]["cksum"] as? String == hash.joined())
        }
    }
}
