import Foundation
import TestSupport
import Testing

extension Conformance {
    /// H: the rest of cargo's API.
    struct API {
        @Test func `H1 H2 H4 H5 yank and unyank say ok, however often`() async throws {
            let live = try Live.here
            try await live.have(MadeCrate("h1-crate", "1.0.0"))
            for (method, word, yanked) in [("DELETE", "yank", true), ("PUT", "unyank", false)] {
                for _ in 1...2 {
                    let said = try await live.api(method, "crates/h1-crate/1.0.0/\(word)", as: live.ann)
                    #expect(said.status == 200 && said["content-type"] == "application/json", said.all)
                    let object = try JSONSerialization.jsonObject(with: Data(said.text.utf8)) as? [String: Any]
                    #expect(object?["ok"] as? Bool == true, said.all)
                    #expect(try await live.lines("h1-crate").map { $0["yanked"] as? Bool } == [yanked])
                }
            }
        }

        @Test func `H1 cargo yank through an edge is on every edge when it returns`() async throws {
            let live = try Live.here
            try await live.have(MadeCrate("h1-cargo", "1.0.0"))
            let cargo = try CargoRun(live, at: live.system.edges[1].url, as: live.ann)
            for (flags, word, yanked) in [([], "Yank", true), (["--undo"], "Unyank", false)] {
                let said = try await cargo(["yank", "--registry", "longshore", "h1-cargo@1.0.0"] + flags)
                #expect(said.status == 0 && said.errors.contains("\(word) h1-cargo@1.0.0"), "\(said.text)")
                #expect(try await live.lines("h1-cargo").map { $0["yanked"] as? Bool } == [yanked])
            }
        }

        @Test func `H7 cargo owner adds, lists and removes`() async throws {
            let live = try Live.here
            try await live.have(MadeCrate("h7-crate", "1.0.0"))
            _ = try await live.token("h7-bob", ["read"], in: ["main"])
            let cargo = try CargoRun(live, at: live.system.edges[0].url, as: live.ann)
            let owner = ["owner", "--registry", "longshore", "h7-crate"]
            let added = try await cargo(owner + ["--add", "h7-bob"])
            #expect(added.status == 0 && added.errors.contains("`h7-bob` can now publish `h7-crate`"), "\(added.text)")
            let listed = try await cargo(owner + ["--list"])
            #expect(listed.output.contains("ann") && listed.output.contains("h7-bob"), "\(listed.text)")
            let removed = try await cargo(owner + ["--remove", "h7-bob"])
            #expect(removed.status == 0, "\(removed.text)")
            let body = Array(#"{"users":["h7-bob"]}"#.utf8)
            for method in ["PUT", "DELETE"] {
                let said = try await live.api(method, "crates/h7-crate/owners", as: live.ann, body: body)
                let object = try JSONSerialization.jsonObject(with: Data(said.text.utf8)) as? [String: Any]
                #expect(said.status == 200 && object?["ok"] as? Bool == true && object?["msg"] is String, said.all)
            }
        }

        @Test func `H8 the last owner stays, and cargo shows why`() async throws {
            let live = try Live.here
            try await live.have(MadeCrate("h8-crate", "1.0.0"))
            let cargo = try CargoRun(live, at: live.origin, as: live.ann)
            let said = try await cargo(["owner", "--registry", "longshore", "h8-crate", "--remove", "ann"])
            #expect(said.status == 101, "\(said.text)")
            #expect(flat(said.errors).contains("cannot remove all individual owners of a crate"), "\(said.text)")
        }

        @Test(arguments: ["per_page=0", "per_page=1000", "per_page=abc", "per_page=", "per_page=-1", ""])
        func `H10 a page size out of range is brought into it`(parameter: String) async throws {
            let live = try Live.here
            _ = try await live.publish(MadeCrate("h10-crate", "1.0.0"))
            let said = try await live.api("GET", "crates?q=h10-crate&\(parameter)")
            #expect(said.status == 200, said.all)
            let object = try JSONSerialization.jsonObject(with: Data(said.text.utf8)) as? [String: Any]
            let hits = try #require(object?["crates"] as? [[String: Any]], said.all)
            #expect(hits.count == 1 && hits[0]["max_version"] as? String == "1.0.0", said.all)
            #expect((object?["meta"] as? [String: Any])?["total"] as? Int == 1, said.all)
        }

        @Test func `H10 cargo search prints what it found`() async throws {
            let live = try Live.here
            try await live.have(MadeCrate("h10-cargo", "1.2.3").described("Finds\nthings."))
            for place in live.places {
                let said = try await CargoRun(live, at: place.url)(["search", "--registry", "longshore", "h10-cargo"])
                #expect(said.output.contains("h10-cargo = \"1.2.3\"    # Finds things."), "\(said.text)")
            }
        }

        @Test(arguments: ["nothing", "crates/h11/1.0.0/nothing", "crates/h11/1.0.0/yank/more", "summary"])
        func `H11 an unknown address is 404 in JSON`(path: String) async throws {
            for method in ["GET", "PUT", "DELETE", "POST"] {
                let said = try await Live.here.api(method, path)
                expectRefused(said, 404, "Not Found")
            }
        }

        @Test func `H13 whatever goes wrong is JSON, never HTML`() async throws {
            let live = try Live.here
            let large = [UInt8](repeating: 120, count: 3 << 20)
            for said in [
                try await live.api("PUT", "crates/h13-crate/owners", as: live.ann, body: Array("{".utf8)),
                try await live.api("PUT", "crates/h13-crate/owners", as: live.ann, body: [0xFF, 0xFE]),
                try await live.api("PUT", "crates/h13-crate/owners", as: live.ann, body: large),
                try await live.api("DELETE", "crates/%FF%FE/1.0.0/yank", as: live.ann),
                try await live.api("DELETE", "crates/h13-crate/%00/yank", as: live.ann),
                try await live.api("DELETE", "crates/h13-none/1.0.0/yank", as: live.ann),
                try await live.api("GET", "crates?q=x", in: "no-such-repository"),
                try await live.api("GET", "crates?q=x", in: "secret"),
                try await live.api("PUT", "crates/new", as: "no token", body: []),
            ] {
                #expect((400..<500).contains(said.status), said.all)
                #expect(said["content-type"] == "application/json" && details(said)?.count == 1, said.all)
            }
        }

        @Test func `H14 parameters and fields that nobody knows are ignored`() async throws {
            let live = try Live.here
            let crate = MadeCrate("h14-crate", "1.0.0")
            let metadata = String(crate.metadata.dropLast()) + ",\"future\":{\"a\":[1,null]}}"
            let said = try await live.publish(body: MadeCrate.publishBody(metadata: metadata, crate: crate.crate()))
            #expect(said.status == 200, said.all)
            let yank = try await live.api("DELETE", "crates/h14-crate/1.0.0/yank?future=1", as: live.ann)
            #expect(yank.status == 200, yank.all)
            let found = try await live.api("GET", "crates?future=1&q=h14-crate&future=2")
            #expect(found.status == 200 && found.text.contains("h14-crate"), found.all)
            for said in try await live.read("/main/index/h1/4-/h14-crate?future=1") {
                #expect(said.status == 200, said.all)
            }
        }

        @Test func `H16 a doubled slash before api is one`() async throws {
            let live = try Live.here
            for (method, path, token) in [
                ("GET", "crates?q=x", nil), ("PUT", "crates/new", live.ann), ("GET", "crates/h16-none/owners", nil),
            ] as [(String, String, String?)] {
                let flags = token.map { ["-H", "Authorization: \($0)"] } ?? []
                var answers: [String] = []
                for slashes in ["/", "//"] {
                    let curl = try await runTool(
                        "curl",
                        ["-s", "--path-as-is", "-X", method, "-w", "%{http_code}"] + flags
                            + ["\(live.origin)/main\(slashes)api/v1/\(path)"])
                    answers.append(curl.output)
                }
                #expect(answers[0] == answers[1] && !answers[0].contains("Not Found"), "\(answers)")
            }
        }
    }
}
