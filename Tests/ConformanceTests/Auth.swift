import Foundation
import TestSupport
import Testing

extension Conformance {
    /// D: who may read, and what the others are told.
    struct Auth {
        private let config = "/secret/index/config.json"

        private func have(_ name: String, _ live: Live) async throws -> [Said] {
            try await live.have(MadeCrate(name, "1.0.0"), in: "secret")
            return try await live.index(name, in: "secret", [("authorization", live.ann)])
        }

        private func basic(_ text: String) -> String { "Basic \(Data(text.utf8).base64EncodedString())" }

        // D11, D13, D14 are what cargo can't live with instead.
        @Test func `D1 D11 D13 D14 without a token config json is 401 with an absolute login URL`() async throws {
            for said in try await Live.here.read(config) {
                #expect(said.status == 401, said.all)
                let challenge = said["www-authenticate"] ?? ""
                let match = challenge.wholeMatch(of: #/Cargo login_url="(https?:\/\/[^"]+)"/#)
                let url = try #require(match?.output.1, said.all)
                #expect(try await httpGet(String(url)).status == 200, "\(url)")
            }
        }

        @Test func `D1 cargo tries again with its token`() async throws {
            let live = try Live.here
            _ = try await have("d1-crate", live)
            for place in live.places {
                let cargo = try CargoRun(live, at: place.url, in: "secret", as: live.ann)
                let project = try cargo.project(
                    "app", dependencies: #"d1-crate = { version = "1", registry = "longshore" }"#)
                let said = try await cargo(["fetch"], in: project)
                #expect(said.status == 0 && said.errors.contains("Downloaded d1-crate v1.0.0"), "\(said.text)")
            }
        }

        @Test func `D2 D10 a token is good bare, as Bearer and as Basic password`() async throws {
            let live = try Live.here
            let token = live.ann
            for header in [
                token, "Bearer \(token)", "bearer \(token)", basic("ann:\(token)"), basic("\(token):"),
            ] {
                for said in try await live.read(config, [("authorization", header)]) {
                    #expect(said.status == 200 && said.text.contains("\"auth-required\":true"), "\(header) \(said.all)")
                }
            }
            for header in [basic("ann:secret"), "Basic ?", "Bearer", "Digest \(token)", "\(token)x"] {
                for said in try await live.read(config, [("authorization", header)]) {
                    #expect(said.status == 401, "\(header) \(said.all)")
                }
            }
        }

        @Test func `D2 a token in the path serves a cargo that can't send it`() async throws {
            let live = try Live.here
            _ = try await have("d2-crate", live)
            for said in try await live.read("/t/\(live.ann)/secret/index/d2/-c/d2-crate") {
                #expect(said.status == 200, said.all)
            }
            let alien = String(live.ann.dropLast()) + "_"
            for said in try await live.read("/t/\(alien)/secret/index/d2/-c/d2-crate") {
                #expect(said.status == 401, said.all)
            }
        }

        @Test func `D4 a token without the right to read is 403 with a text`() async throws {
            let live = try Live.here
            _ = try await have("d4-crate", live)
            let token = try await live.token("pub", ["publish-new"], in: ["secret"]).secret
            for path in [config, "/secret/index/d4/-c/d4-crate"] {
                for said in try await live.read(path, [("authorization", token)]) {
                    #expect(said.status == 403, said.all)
                    #expect(said.text.contains("read") && said.text.count <= 500, said.all)
                    #expect(said["content-type"]?.hasPrefix("text/plain") == true, said.all)
                }
            }
        }

        @Test func `D5 an expired token is 401 on index files, and cargo says so`() async throws {
            let live = try Live.here
            _ = try await have("d5-crate", live)
            let token = try await live.token("late", ["read"], in: ["secret"], seconds: 2).secret
            // The edges have seen it while it was good, if this machine is quick enough.
            _ = try await live.index("d5-crate", in: "secret", [("authorization", token)])
            for place in live.places {
                var status = 200
                for _ in 1...100 where status == 200 {
                    try await Task.sleep(for: .milliseconds(100))
                    status = try await httpGet(
                        place.url + "/secret/index/d5/-c/d5-crate", headers: [("authorization", token)]
                    ).status
                }
                #expect(status == 401, "\(place.name)")
                let (said, _) = try await CargoRun(live, at: place.url, in: "secret", as: token).resolve(
                    #"d5-crate = { version = "1", registry = "longshore" }"#)
                #expect(said.status == 101 && said.errors.contains("token rejected"), "\(said.text)")
            }
        }

        @Test func `D7 a download without a token is 401, and cargo shows the text`() async throws {
            let live = try Live.here
            let lines = try await have("d7-crate", live)
            let checksum = try #require(lines[0].text.firstMatch(of: #/"cksum":"([0-9a-f]{64})"/#)?.output.1)
            for said in try await live.read("/secret/crates/d7-crate/1.0.0/\(checksum).crate") {
                #expect(said.status == 401, said.all)
                #expect(said["content-type"]?.hasPrefix("text/plain") == true, said.all)
                #expect(said.text.contains("token") && said.text.count <= 500, said.all)
            }
            for place in live.places {
                // A token that may read the index, and is revoked before the download.
                let token = try await live.token("leaver", ["read"], in: ["secret"])
                let cargo = try CargoRun(live, at: place.url, in: "secret", as: token.secret)
                let project = try cargo.project(
                    "app", dependencies: #"d7-crate = { version = "1", registry = "longshore" }"#)
                let resolved = try await cargo(["generate-lockfile"], in: project)
                #expect(resolved.status == 0, "\(resolved.text)")
                try await revoke(token.id, live)
                let said = try await cargo(["fetch", "--locked"], in: project)
                #expect(said.status == 101 && said.errors.contains("401"), "\(said.text)")
                #expect(said.errors.contains("token"), "\(said.text)")
            }
        }

        private func revoke(_ id: Int, _ live: Live) async throws {
            let answer = try await httpCall(
                "DELETE", "\(live.origin)/api/v1/tokens/\(id)", headers: [("authorization", live.admin)])
            try #require(answer.status == 200, "\(answer.text)")
        }

        // I7: within one second; here the answer to the revocation has waited for the edges.
        @Test func `D16 a revoked token is 401 at edges that had remembered it`() async throws {
            let live = try Live.here
            _ = try await have("d16-crate", live)
            let token = try await live.token("gone", ["read"], in: ["secret"])
            let header = [("authorization", token.secret)]
            for said in try await live.index("d16-crate", in: "secret", header) {
                #expect(said.status == 200, said.all)
            }
            try await revoke(token.id, live)
            for said in try await live.index("d16-crate", in: "secret", header) {
                #expect(said.status == 401, said.all)
            }
        }

        @Test func `D17 a token of another registry is 401, one of another repository 403`() async throws {
            let live = try Live.here
            _ = try await have("d17-crate", live)
            let stranger = try await live.token("eve", ["read"], in: ["other"]).secret
            for (token, status) in [("cioJ5xvTmQyeB2dXlmJyGnXgDRgBH4oNJk3", 401), (stranger, 403)] {
                for said in try await live.index("d17-crate", in: "secret", [("authorization", token)]) {
                    #expect(said.status == status, said.all)
                    #expect(!said.text.contains("cksum"), said.all)
                }
            }
        }

        @Test func `D19 cargo login says where to get a token`() async throws {
            let live = try Live.here
            for place in live.places {
                let cargo = try CargoRun(live, at: place.url, in: "secret")
                let said = try await cargo(["login", "--registry", "longshore"])
                #expect(said.text.contains("please paste the token found on http"), "\(said.text)")
                #expect(said.text.contains("/secret/me"), "\(said.text)")
            }
        }
    }
}
