//! A thin client of the public API, for tests and load.

use anyhow::{Context, Result, bail};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::server::Server;

/// Speaks for one token.
#[derive(Clone, Debug)]
pub struct Api {
    client: Client,
    url: String,
    token: String,
}

/// An answer: status and JSON body.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// The body; null if it was empty or not JSON.
    pub body: Value,
}

impl Answer {
    /// The body of a success.
    pub fn ok(self) -> Result<Value> {
        if !self.status.is_success() {
            bail!("the server answered {}: {}", self.status, self.body);
        }
        Ok(self.body)
    }

    /// The stable code of a problem.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

impl Api {
    /// As the bootstrap administrator of `server`.
    pub fn admin(server: &Server) -> Self {
        Self::of(&server.url, &server.token)
    }

    /// With any token.
    pub fn of(url: &str, token: &str) -> Self {
        let client = Client::builder()
            .no_proxy()
            .tcp_nodelay(true)
            .build()
            .expect("a client without TLS files can be built");
        Self {
            client,
            url: url.to_owned(),
            token: token.to_owned(),
        }
    }

    /// The same client towards a server that came back on another port.
    #[must_use]
    pub fn moved(&self, url: &str) -> Self {
        Self {
            client: self.client.clone(),
            url: url.to_owned(),
            token: self.token.clone(),
        }
    }

    /// The same server with another token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: token.to_owned(),
            ..self.clone()
        }
    }

    /// A request to `/api/v1` + `path`, to be refined.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{}/api/v1{path}", self.url))
            .bearer_auth(&self.token)
    }

    /// Sends and reads the whole answer.
    pub async fn send(&self, request: RequestBuilder) -> Result<Answer> {
        let response = request.send().await?;
        let status = response.status();
        let bytes = response.bytes().await?;
        Ok(Answer {
            status,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        })
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.send(self.request(Method::GET, path)).await
    }

    /// POST with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// PUT with a JSON body.
    pub async fn put(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(self.request(Method::PUT, path).json(body)).await
    }

    /// Uploads a component and grants it what `grants` says.
    pub async fn push(&self, wasm: Vec<u8>, grants: &Value) -> Result<Value> {
        let pushed = self
            .send(self.request(Method::POST, "/components").body(wasm))
            .await?
            .ok()?;
        let path = format!(
            "/components/{}/versions/{}/grants",
            text(&pushed, "name")?,
            text(&pushed, "version")?
        );
        self.put(&path, grants).await?.ok()
    }

    /// Publishes a process document.
    pub async fn publish(&self, document: &str) -> Result<Value> {
        self.send(
            self.request(Method::POST, "/processes")
                .body(document.to_owned()),
        )
        .await?
        .ok()
    }

    /// Creates and starts a release, and gives its id.
    pub async fn start(&self, process: &str, inputs: &Value) -> Result<String> {
        let view = self
            .post(
                "/releases",
                &json!({ "process": process, "inputs": inputs }),
            )
            .await?
            .ok()?;
        Ok(text(&view, "id")?.to_owned())
    }

    /// The release once it has ended, or as it is after `seconds`.
    pub async fn wait(&self, id: &str, seconds: u32) -> Result<Value> {
        let request = self
            .request(Method::GET, &format!("/releases/{id}"))
            .header("Prefer", format!("wait={seconds}"));
        self.send(request).await?.ok()
    }

    /// One action on a release.
    pub async fn act(&self, id: &str, action: &Value) -> Result<Answer> {
        self.post(&format!("/releases/{id}/actions"), action).await
    }

    /// A person in groups, and their own client.
    pub async fn person(&self, name: &str, groups: &[&str]) -> Result<Self> {
        self.put(&format!("/principals/{name}"), &json!({ "groups": groups }))
            .await?
            .ok()?;
        let created = self
            .post("/tokens", &json!({ "principal": name }))
            .await?
            .ok()?;
        Ok(self.with_token(text(&created, "token")?))
    }
}

/// A string member.
pub fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value[key]
        .as_str()
        .with_context(|| format!("no {key} in {value}"))
}

/// One activity in the view of a release.
pub fn activity<'a>(release: &'a Value, path: &str) -> &'a Value {
    let phases = release["phases"].as_array().into_iter().flatten();
    let mut activities =
        phases.flat_map(|phase| phase["activities"].as_array().into_iter().flatten());
    activities
        .find(|activity| activity["path"] == path)
        .unwrap_or(&Value::Null)
}
