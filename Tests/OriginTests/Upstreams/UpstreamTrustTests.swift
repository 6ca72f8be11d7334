import HTTPTypes
import Postgres
import Registry
import TestSupport
import Testing

@testable import Origin

/// Who sees an upstream's credential, where its downloads may lead, and who may say so.
struct UpstreamTrustTests {
    private static let secret = "lsh_t0123456789abcdef"

    /// Through the API, as an administrator of everything.
    private func setCredential(_ scene: UpstreamScene, _ text: String = secret) async throws -> HTTPAnswer {
        let admin = try await scene.origin.token("root", [.admin])
        return try await scene.origin.call(
            "PUT", "/api/v1/repositories/main/upstreams/up/credential", as: .token(admin),
            json: #"{"credential":"\#(text)"}"#)
    }

    @Test func `an upstream that wants a credential gets it, and nobody else sees it`() async throws {
        try await UpstreamScene.with { scene in
            try scene.upstream.offer(MadeCrate("foo", "1.0.0"))
            scene.upstream.set { $0.credential = Self.secret }
            #expect(try await scene.index("foo").status == 503)
            #expect(try await scene.faults().first?.contains("longshore-origin upstream credential") == true)

            // Set, it is used at once: pauses of the old one are over.
            #expect(try await setCredential(scene).status == 200)
            #expect(try await scene.index("foo").status == 200)
            #expect(try await scene.download("foo").status == 200)
            #expect(
                Set(scene.upstream.credentials)
                    == Set(["3/f/foo", "config.json", "dl/foo/1.0.0"].map { "\($0) \(Self.secret)" }))

            let kept = try await scene.origin.slices.pool.query(
                "SELECT count(*) AS count FROM upstreams WHERE encode(sealed_credential, 'escape') LIKE '%lsh_t%'")
            #expect(try kept.first?.value("count", as: Int.self) == 0)
            let told = try await scene.origin.slices.pool.query(
                "SELECT count(*) AS count FROM audit WHERE audit::text LIKE '%0123456789abcdef%'")
            #expect(try told.first?.value("count", as: Int.self) == 0)

            // It ends: what is held stays, and the fault says what to do.
            let good = try await scene.index("foo").text
            scene.upstream.set { $0.credential = "another" }
            try await scene.refresh("foo")
            #expect(try await scene.index("foo").text == good)
            #expect(try await scene.faults().first?.contains("not accepted") == true)
        }
    }

    @Test func `the credential goes to a host of downloads only if upstream and operator want it`() async throws {
        try await UpstreamScene.with { scene in
            try await ScriptedUpstream.with(host: "127.0.0.2") { files in
                for name in ["a", "b", "c"] {
                    try scene.upstream.offer(MadeCrate(name, "1.0.0"))
                    try files.offer(MadeCrate(name, "1.0.0"))
                    _ = try await scene.index(name)
                }
                #expect(try await setCredential(scene).status == 200)
                scene.upstream.set { $0.downloads = files.url }
                try await scene.put(alsoHosts: ["127.0.0.2"])
                #expect(try await scene.download("a").status == 200)
                #expect(files.credentials == [])
            }
            try await ScriptedUpstream.with(host: "127.0.0.2") { files in
                try files.offer(MadeCrate("b", "1.0.0"))
                scene.upstream.set {
                    $0.downloads = files.url
                    $0.isAuthRequired = true
                }
                // A replica that was not asked yet: this one keeps what config.json said.
                let fresh = UpstreamConfigs(client: scene.origin.slices.upstreamDesk.client, logger: .test)
                let before = try #require(try await scene.store.list(of: scene.repository).first)
                #expect(try await fresh.config(of: before).isAuthRequired)
                for (hosts, seen) in [([], 0), (["127.0.0.2"], 1)] as [([String], Int)] {
                    try await scene.put(alsoHosts: hosts)
                    let upstream = try #require(try await scene.store.list(of: scene.repository).first)
                    try await scene.origin.slices.upstreamDesk.client.crate(
                        files.url + "dl/b/1.0.0", of: upstream, isAuthRequired: true
                    ) { _ in }
                    #expect(files.credentials.count == seen)
                }
            }
        }
    }

    @Test func `with another place for its index an upstream loses its credential`() async throws {
        try await UpstreamScene.with { scene in
            #expect(try await setCredential(scene).status == 200)
            try await scene.put(scene.upstream.url + "below/")
            #expect(try await scene.store.list(of: scene.repository).first?.sealedCredential != nil)
            try await scene.put("http://127.0.0.2:1/")
            #expect(try await scene.store.list(of: scene.repository).first?.sealedCredential == nil)
        }
    }

    @Test func `downloads are redirected to known hosts only, index files never`() async throws {
        try await UpstreamScene.with { scene in
            try await ScriptedUpstream.with(host: "127.0.0.2") { files in
                for name in ["foo", "bar"] {
                    try scene.upstream.offer(MadeCrate(name, "1.0.0"))
                    let bytes = try files.offer(MadeCrate(name, "1.0.0"))
                    files.set { $0.crates["signed/\(name)"] = bytes }
                    _ = try await scene.index(name)
                }
                #expect(try await setCredential(scene).status == 200)
                scene.upstream.set {
                    $0.redirects = [
                        "dl/foo/1.0.0": "/moved", "moved": files.url + "dl/signed/foo?sig=hush",
                        "dl/bar/1.0.0": files.url + "dl/signed/bar", "no/ne/none": files.url + "3/f/foo",
                    ]
                }
                #expect(try await scene.download("foo").status == 503)
                #expect(files.requests == [])
                let fault = try #require(try await scene.faults().first)
                #expect(fault.contains("--also-host 127.0.0.2"))

                try await scene.put(alsoHosts: ["127.0.0.2"])
                for name in ["foo", "bar"] { #expect(try await scene.download(name).status == 200) }
                #expect(files.requests.sorted() == ["dl/signed/bar", "dl/signed/foo"])
                #expect(files.credentials == [])
                #expect(try await scene.index("none").status == 503)
                #expect(files.requests.count == 2)
            }
        }
    }

    @Test func `SSRF: a redirect to an address inside is not followed`() async throws {
        try await UpstreamScene.with { scene in
            try await ScriptedUpstream.with(host: "127.0.0.2") { inside in
                try scene.upstream.offer(MadeCrate("foo", "1.0.0"))
                _ = try await scene.index("foo")
                scene.upstream.set { $0.redirects = ["dl/foo/1.0.0": inside.url + "dl/foo/1.0.0"] }
                #expect(try await scene.download("foo").status == 503)
                // Nor by name, with all that an administrator of this repository alone may say.
                let index = try #require(UpstreamIndex("http://localhost:\(try freePort())/"))
                let outside = Upstream(
                    id: 99, name: "outside", index: index, filter: .init(), freshSeconds: 60, privateAllowed: false,
                    alsoHosts: [], sealedCredential: nil)
                await #expect(throws: UpstreamFault.self) {
                    try await scene.origin.slices.upstreamDesk.client.crate(
                        inside.url, of: outside, isAuthRequired: false
                    ) { _ in }
                }
                #expect(inside.requests == [])
            }
        }
    }

    @Test func `administrators manage upstreams over HTTP`() async throws {
        try await TestOrigin.with { origin in
            try await origin.repository("main")
            let root = TestOrigin.Caller.token(try await origin.token("root", [.admin]))
            let ann = TestOrigin.Caller.token(try await origin.token("ann", [.admin], in: ["main"]))
            let base = "/api/v1/repositories/main/upstreams"
            let call = { (method: String, path: String, json: String?, caller: TestOrigin.Caller) in
                try await origin.call(method, path, as: caller, json: json)
            }
            let full = #"""
                {"index":"sparse+https://Index.Example","exclude":["acme-*"],"fresh_seconds":30,
                 "also_hosts":["Files.example"]}
                """#
            let made = try await call("PUT", base + "/up", full, ann)
            #expect(made.status == 201)
            for part in [
                #""index":"sparse+https://index.example/""#, #""exclude":["acme_*"]"#, #""include":["*"]"#,
                #""also_hosts":["files.example"]"#, #""fresh_seconds":30"#, #""has_credential":false"#,
                #""names_known":0"#,
            ] { #expect(made.text.contains(part), "\(made.text)") }

            let secret = try await call("PUT", base + "/up/credential", #"{"credential":"Bearer hush-hush"}"#, ann)
            #expect(secret.status == 200)
            let same = try await call("PUT", base + "/up", #"{"index":"https://index.example/"}"#, ann)
            #expect(same.status == 200 && same.text.contains(#""has_credential":true"#))
            #expect(same.text.contains(#""also_hosts":[]"#))
            // It opens the origin's own network, which is not one repository's.
            let inside = #"{"index":"http://10.0.0.1/","allow_private":true}"#
            #expect(try await call("PUT", base + "/up", inside, ann).status == 403)
            #expect(try await call("PUT", base + "/up", inside, root).status == 200)
            for bad in [
                "{}", #"{"index":"ftp://h/"}"#, #"{"index":"https://h/","fresh_seconds":0}"#,
                #"{"index":"https://h/","also_hosts":["h:80"]}"#, #"{"index":"https://h/","include":["-"]}"#,
            ] { #expect(try await call("PUT", base + "/up", bad, root).status == 400) }

            let names = try await call(
                "PUT", "/api/v1/repositories/main/reserved-names", #"{"patterns":["acme-*"]}"#, ann)
            #expect(names.text == #"{"reserved":["acme_*"]}"#)
            let list = try await call("GET", base, nil, ann)
            #expect(list.text.contains(#""reserved":["acme_*"]"#) && list.text.contains("10.0.0.1"))
            #expect(!list.text.contains("hush"))
            #expect(try await call("GET", base + "/up", nil, ann).text.contains(#""faults":[]"#))
            for path in [base + "/up/credential", base + "/up"] {
                #expect(try await call("DELETE", path, nil, ann).status == 200)
            }
            #expect(try await call("DELETE", base + "/up", nil, ann).status == 404)
            #expect(try await call("GET", base + "/up", nil, ann).status == 404)
            let log = try await origin.slices.pool.query(
                "SELECT action, actor FROM audit WHERE action LIKE 'upstream.%' ORDER BY seq")
            let actions = try log.map { try $0.value("action", as: String.self) }
            #expect(
                actions == [
                    "upstream.add", "upstream.credential", "upstream.set", "upstream.set", "upstream.reserve",
                    "upstream.credential", "upstream.remove",
                ])
            #expect(try log.allSatisfy { try ["ann", "root"].contains($0.value("actor", as: String.self)) })
        }
    }
}
