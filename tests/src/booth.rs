//! A booth of the county: its device signs in for visits and reads cards.

use crate::{
    county::{County, Node, named},
    line::Line,
    people::{Citizen, hall},
};
use domain::id::BoothId;
use protocol::{BoothNonce, BoothToken, CardRead, DeviceKey, VisitToken};
use serde_json::json;

pub struct Booth {
    device: DeviceKey,
    id: String,
}

impl Booth {
    #[must_use]
    pub fn of(county: &County, name: &str) -> Self {
        Self {
            device: DeviceKey::from_secret(&county.booth_secret(name)).unwrap(),
            id: named::<BoothId>("booth", name),
        }
    }

    /// Somebody sits down, anonymous; and the nonce for their card.
    pub async fn arrive(&self, node: &Node) -> (Citizen, String) {
        let http = node.http();
        let body = json!({"booth": self.id});
        let n: BoothNonce = http.post("/auth/booth/challenge", body).await.unwrap();
        let signature = self
            .device
            .sign(&protocol::booth_login_bytes(&self.id, &n.nonce));
        let body = json!({"booth": self.id, "nonce": n.nonce, "signature": signature});
        let t: BoothToken = http.post("/auth/booth", body).await.unwrap();
        let v: VisitToken = http
            .with(&t.access_token)
            .post("/visits", json!({"channel": "booth", "hall": hall()}))
            .await
            .unwrap();
        let http = http.with(&v.access_token);
        let citizen = Citizen {
            line: Line::open(&http).await,
            http,
            visit: v.visit.id,
        };
        (citizen, v.visit.card_nonce.unwrap())
    }

    /// A card in the reader.
    #[must_use]
    pub fn read(&self, node: &Node, nonce: &str, name: &str, number: &str) -> CardRead {
        let read_at = node.app().now().rfc3339();
        let bytes = protocol::card_read_bytes(nonce, name, number, &read_at, &self.id);
        CardRead {
            nonce: nonce.to_owned(),
            name: name.to_owned(),
            number: number.to_owned(),
            read_at,
            booth: self.id.clone(),
            signature: self.device.sign(&bytes),
        }
    }
}
