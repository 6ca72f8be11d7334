import Foundation
import TestSupport
import Testing

extension Conformance {
    /// A: reading the index.
    struct IndexBasics {
        @Test func `A1 config json names downloads and the API`() async throws {
            let live = try Live.here
            for said in try await live.read("/main/index/config.json") {
                #expect(said.status == 200, said.all)
                #expect(said["content-type"]?.hasPrefix("application/json") == true, said.all)
                let config = try JSONSerialization.jsonObject(with: Data(said.text.utf8)) as? [String: Any]
                let base = live.places.first { $0.name == said.place }?.url ?? "?"
                #expect((config?["dl"] as? String)?.hasPrefix(base + "/main/crates/") == true, said.all)
                #expect(config?["api"] as? String == live.origin + "/main", said.all)
                #expect(config?["auth-required"] == nil, said.all)
            }
        }

        @Test func `A1 config json comes from configuration, not from Host`() async throws {
            let live = try Live.here
            for place in live.places {
                let curl = try await runTool(
                    "curl", ["-s", "-H", "Host: evil.example", place.url + "/main/index/config.json"])
                #expect(!curl.output.contains("evil.example") && curl.output.contains("\"dl\""), "\(curl.text)")
            }
        }

        @Test func `A2 config json with validators is 200 or 304`() async throws {
            for tag in ["\"x\"", "*"] {
                for said in try await Live.here.read("/main/index/config.json", [("if-none-match", tag)]) {
                    #expect([200, 304].contains(said.status), said.all)
                }
            }
        }

        @Test func `A4 an existing crate is text with a tag, each line ended`() async throws {
            let live = try Live.here
            try await live.have(MadeCrate("a4-crate", "1.0.0"), MadeCrate("a4-crate", "1.1.0"))
            let files = try await live.index("a4-crate")
            for said in files {
                #expect(said.status == 200, said.all)
                #expect(said["content-type"]?.hasPrefix("text/plain") == true, said.all)
                #expect(said["etag"]?.hasPrefix("\"g2-") == true, said.all)
                #expect(said["etag"] == files[0]["etag"], said.all)
                #expect(said.text.hasSuffix("}\n") && said.text.split(separator: "\n").count == 2, said.all)
                #expect(said.text == files[0].text, said.all)
            }
        }

        @Test(arguments: [(1, "%@"), (2, "W/%@"), (3, "\"a\", %@"), (4, "\"a\",W/%@ , \"b\""), (5, "*")])
        func `A5 A7 A8 a client that shows the current tag gets 304`(number: Int, pattern: String) async throws {
            let live = try Live.here
            let name = "a5-crate-\(number)"
            try await live.have(MadeCrate(name, "1.0.0"))
            let tag = try #require(try await live.index(name)[0]["etag"])
            let header = pattern.replacingOccurrences(of: "%@", with: tag)
            for said in try await live.index(name, [("if-none-match", header)]) {
                #expect(said.status == 304, said.all)
                #expect(said.text.isEmpty, said.all)
                #expect(said["etag"] == tag, said.all)
            }
        }

        @Test(arguments: [(1, "\"a\""), (2, "W/\"a\", \"b\""), (3, "a"), (4, "")])
        func `A8 a list without the current tag gets 200`(number: Int, header: String) async throws {
            let live = try Live.here
            let name = "a8-crate-\(number)"
            try await live.have(MadeCrate(name, "1.0.0"))
            for said in try await live.index(name, [("if-none-match", header)]) {
                #expect(said.status == 200, said.all)
            }
        }

        @Test func `A10 of two conditions the tag decides`() async throws {
            let live = try Live.here
            try await live.have(MadeCrate("a10-crate", "1.0.0"))
            let tag = try #require(try await live.index("a10-crate")[0]["etag"])
            let (past, future) = ("Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT")
            for (known, since, status) in [("\"old\"", future, 200), (tag, past, 304)] {
                let headers = [("if-none-match", known), ("if-modified-since", since)]
                for said in try await live.index("a10-crate", headers) { #expect(said.status == status, said.all) }
            }
        }

        @Test func `A11 an unknown crate is a short 404 that nobody keeps`() async throws {
            let live = try Live.here
            // The second time an edge has it in its cache.
            for _ in 1...2 {
                for said in try await live.index("a11-unknown") {
                    #expect(said.status == 404, said.all)
                    #expect(said["cache-control"] == "no-store" && said["etag"] == nil, said.all)
                    #expect(said.text.count <= 500 && !said.text.contains("<"), said.all)
                }
            }
            for place in live.places {
                let (said, _) = try await CargoRun(live, at: place.url).resolve(
                    #"a11-unknown = { version = "1", registry = "longshore" }"#)
                #expect(said.errors.contains("no matching package named `a11-unknown` found"), "\(said.text)")
            }
        }

        @Test(
            arguments: [
                "3/A/Abc", "A1/3-/a13-crate", "a1/3-/A13-crate", "a1/3-/a13-crate/", "a1//3-/a13-crate",
                "a1/3-/%61%31%33-crate", "a1/3-/a13-crate%00", "3/b/abc", "a13-crate", "a1/3-/./a13-crate", "", "1/",
            ])
        func `A13 a path that is not canonical is 404`(path: String) async throws {
            let live = try Live.here
            _ = try await live.publish(MadeCrate("a13-crate", "1.0.0"))
            for place in live.places {
                // curl, since a client library might tidy the path.
                let curl = try await runTool(
                    "curl", ["-s", "--path-as-is", "-w", "%{http_code}", "\(place.url)/main/index/\(path)"])
                #expect(curl.output.hasSuffix("404"), "\(place.name): \(curl.text)")
            }
        }

        @Test(arguments: [("q", "1/q"), ("qz", "2/qz"), ("qzx", "3/q/qzx"), ("QzxV_e", "qz/xv/qzxv_e")])
        func `A14 the path depends on the length of the name`(name: String, path: String) async throws {
            let live = try Live.here
            try await live.have(MadeCrate(name, "1.0.0"))
            for said in try await live.read("/main/index/\(path)") {
                #expect(said.status == 200 && said.text.contains("\"name\":\"\(name)\""), said.all)
            }
        }

        @Test func `A16 another spelling is 404, and cargo finds the right one`() async throws {
            let live = try Live.here
            try await live.have(MadeCrate("a16-crate", "1.0.0"))
            for said in try await live.index("a16_crate") { #expect(said.status == 404, said.all) }
            for place in live.places {
                let (said, _) = try await CargoRun(live, at: place.url).resolve(
                    #"a16_crate = { version = "1", registry = "longshore" }"#)
                #expect(flat(said.errors).contains("perhaps you meant: a16-crate"), "\(said.text)")
            }
        }

        @Test func `A17 HEAD has the headers of GET`() async throws {
            let live = try Live.here
            try await live.have(MadeCrate("a17-crate", "1.0.0"))
            _ = try await live.index("a17-crate")
            let (got, head) = (try await live.index("a17-crate"), try await live.index("a17-crate", method: "HEAD"))
            for (get, head) in zip(got, head) {
                #expect(head.status == 200 && head.text.isEmpty, head.all)
                for name in ["etag", "content-type", "cache-control", "content-length", "x-cache", "vary"] {
                    #expect(head[name] == get[name], "\(name) \(head.all) \(get.all)")
                }
            }
        }

        @Test func `A19 nothing is compressed unless the client asks`() async throws {
            let live = try Live.here
            // Large enough to be worth compressing.
            let features = (1...40).reduce(MadeCrate("a19-crate", "1.0.0")) { $0.feature("feature-number-\($1)") }
            try await live.have(features)
            let tag = try #require(try await live.index("a19-crate")[0]["etag"])
            // curl, since the client library asks for gzip by itself.
            for place in live.places {
                let curl = ["-s", "-D", "-", place.url + "/main/index/a1/9-/a19-crate"]
                let plain = try await runTool("curl", curl)
                #expect(!plain.output.lowercased().contains("content-encoding"), "\(place.name): \(plain.text)")
                #expect(plain.output.contains("feature-number-40") && plain.output.contains(tag), "\(plain.text)")
                let packed = try await runTool("curl", ["--compressed"] + curl)
                #expect(packed.output.contains("feature-number-40") && packed.output.contains(tag), "\(packed.text)")
                if place.name != "origin" {
                    #expect(packed.output.lowercased().contains("content-encoding: gzip"), "\(packed.text)")
                }
            }
        }

        @Test func `A22 versions that differ in build metadata only do not exist`() async throws {
            let live = try Live.here
            try await live.have(MadeCrate("a22-crate", "1.0.0+a"))
            expectRefused(try await live.publish(MadeCrate("a22-crate", "1.0.0+b")), 400, "already uploaded")
            #expect(try await live.lines("a22-crate").map { $0["vers"] as? String } == ["1.0.0+a"])
        }

        @Test func `A25 a tag of 136 characters in the list does no harm`() async throws {
            let live = try Live.here
            try await live.have(MadeCrate("a25-crate", "1.0.0"))
            let tag = try #require(try await live.index("a25-crate")[0]["etag"])
            let long = "\"g1-" + String(repeating: "a", count: 131) + "\""
            #expect(long.count == 136)
            for (header, status) in [(long, 200), ("\(long), \(tag)", 304)] {
                for said in try await live.index("a25-crate", [("if-none-match", header)]) {
                    #expect(said.status == status, said.all)
                }
            }
        }

        @Test func `A26 an offer of h2c is taken or passed over`() async throws {
            let live = try Live.here
            for place in live.places {
                let curl = try await runTool(
                    "curl",
                    ["-s", "--http2", "-w", "%{http_code} %{http_version}", place.url + "/main/index/config.json"])
                let expected = place.name == "origin" ? "200 1.1" : "200 2"
                #expect(
                    curl.output.hasSuffix(expected) && curl.output.contains("\"dl\""), "\(place.name): \(curl.text)")
            }
        }
    }
}
